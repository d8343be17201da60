"use strict";

// The server renders every change as HTML, customer's words escaped; this page only puts it in its place.
const data = document.body.dataset;
const form = document.getElementById("composer");
const input = document.getElementById("text");
const log = document.getElementById("log");
const failure = document.getElementById("failure");

const customer = sessionStorage.getItem("customer") || newCustomer();

function newCustomer() {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(17)), (byte) => byte % 10).join("");
  sessionStorage.setItem("customer", `2${digits}`);
  return `2${digits}`;
}

function put(element) {
  const old = document.getElementById(element.id);
  if (old) {
    old.replaceWith(element);
  } else if (element.dataset.into === "trail") {
    document.getElementById("trail-empty")?.remove();
    document.getElementById("trail").prepend(element);
  } else {
    document.getElementById("chat").append(element);
    log.scrollTop = log.scrollHeight;
  }
}

function follow() {
  const lang = document.documentElement.lang;
  const source = new EventSource(`${data.changes}?customer=${customer}&lang=${lang}`);
  source.onmessage = (event) => {
    const template = document.createElement("template");
    template.innerHTML = event.data;
    [...template.content.children].forEach(put);
  };
}

async function say(kind, text) {
  const vendor = new FormData(form).get("vendor");
  document.querySelector("input[name=vendor]").checked = true; // it counts for one message
  try {
    const answer = await fetch(data.messages, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ customer, kind, text, vendor }),
    });
    failure.textContent = answer.ok ? "" : await answer.text();
  } catch {
    failure.textContent = data.failed;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value.trim();
  if (text) {
    say("text", text);
    input.value = "";
  }
  input.focus();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-text], button[data-kind]");
  if (button) {
    say(button.dataset.kind || "text", button.dataset.text || "");
  }
});

document.getElementById("new-customer").addEventListener("click", () => {
  newCustomer();
  location.reload();
});

// A picture has no height until it is loaded.
log.addEventListener("load", () => { log.scrollTop = log.scrollHeight; }, true);

follow();
