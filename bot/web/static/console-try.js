"use strict";

// The page works by itself; here the answer is put into it without loading the rest, so that the chat goes on.
const form = document.getElementById("try");
const input = document.getElementById("text");
const chat = document.getElementById("chat");
const log = document.getElementById("log");
const answer = document.getElementById("answer");

function show(page) {
  const section = page.getElementById("chat");
  if (!page.getElementById("hint")) {
    document.getElementById("hint")?.remove();
    chat.append(...section.children);
  }
  answer.replaceChildren(...page.getElementById("answer").childNodes);
  log.scrollTop = log.scrollHeight;
}

async function ask(button) {
  if (button?.name === "sample") {
    input.value = button.value;
    document.getElementById("event").value = "text";
  }
  form.setAttribute("aria-busy", "true");
  try {
    const reply = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (reply.redirected || !page.getElementById("answer")) {
      location.reload(); // logged out meanwhile, or the form is out of date
      return;
    }
    show(page);
  } catch {
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    notice.textContent = form.dataset.failed;
    answer.replaceChildren(notice);
  } finally {
    form.removeAttribute("aria-busy");
  }
  input.select(); // the next message replaces this one; with another moment it can be asked again
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(event.submitter);
});

// A picture has no height until it is loaded.
log.addEventListener("load", () => { log.scrollTop = log.scrollHeight; }, true);
log.scrollTop = log.scrollHeight;
