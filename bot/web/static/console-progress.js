// A check that takes seconds: how far it is, and a button that stops it. Without this the browser waits for the page.

const form = document.querySelector("form[data-progress]");
const box = form.querySelector(".progress-box");
const bar = box.querySelector("progress");
const state = box.querySelector("[role=status]");
const outcome = form.querySelector(".progress-outcome");
const words = box.dataset;

// What takes less is not worth a bar that comes and goes.
const PATIENCE = 700;
let work = null;

/** Yields the server's lines. */
async function* lines(response) {
  const decoder = new TextDecoderStream();
  const reader = response.body.pipeThrough(decoder).getReader();
  let rest = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const pieces = (rest + read.value).split("\n");
    rest = pieces.pop();
    for (const piece of pieces) {
      yield JSON.parse(piece);
    }
  }
}

function show({ text, done, total }) {
  if (text && state.textContent !== text) {
    state.textContent = text;
  }
  if (total) {
    bar.max = total;
    bar.value = done;
  } else if (text) {
    bar.removeAttribute("value");
  }
}

async function ask(submitter, signal) {
  const response = await fetch(submitter.formAction, {
    method: "POST", body: new FormData(form, submitter), headers: { Accept: words.type }, redirect: "manual", signal,
  });
  if (!response.ok || response.headers.get("Content-Type") !== words.type) {
    return {}; // logged out, or refused: the browser shows why
  }
  let last = {};
  for await (const line of lines(response)) {
    show(line);
    last = line;
  }
  return last;
}

/** Send the form as the browser does. */
function sendAnyway(submitter) {
  if (submitter.name) {
    const chosen = document.createElement("input");
    Object.assign(chosen, { type: "hidden", name: submitter.name, value: submitter.value });
    form.append(chosen);
  }
  HTMLFormElement.prototype.submit.call(form);
}

/** What the server gives anew with each answer; the fields of the form are the editor's. */
function takeOver(next) {
  for (const name of form.dataset.progress.split(" ")) {
    const old = form.elements[name];
    const fresh = next.elements[name];
    if (old && fresh) {
      old.value = fresh.value;
    } else if (fresh) {
      form.prepend(fresh);
    } else {
      old?.remove();
    }
  }
  const old = form.querySelector("#publication"); // it may stand beside the form
  const fresh = next.querySelector("#publication");
  if (old && !fresh) {
    old.remove();
  } else if (fresh && !old) {
    box.before(fresh);
  }
  const buttons = form.querySelectorAll(".actions > button");
  const now = next.querySelectorAll(".actions > button");
  if (buttons.length === now.length) {
    buttons.forEach((button, index) => {
      button.className = now[index].className;
      button.hidden = now[index].hidden;
    });
  } else {
    buttons.forEach((button) => button.remove());
    form.querySelector(".actions").prepend(...now);
  }
}

/** Put what stands around the form on the new page around it here. */
function graft(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const main = form.closest("main");
  const next = page.getElementById(form.getAttribute("id")); // form.id and form.action are fields of that name
  if (!next) {
    main.replaceChildren(...page.querySelector("main").childNodes);
    return;
  }
  const chat = document.getElementById("chat");
  if (chat) {
    page.getElementById("chat").replaceWith(chat);
  }
  takeOver(next);
  for (let here = form, there = next; here !== main; here = here.parentElement, there = there.parentElement) {
    const siblings = [...there.parentElement.childNodes];
    const place = siblings.indexOf(there);
    [...here.parentElement.childNodes].filter((node) => node !== here).forEach((node) => node.remove());
    here.before(...siblings.slice(0, place));
    here.after(...siblings.slice(place + 1));
    here.parentElement.className = there.parentElement.className;
  }
  form.dispatchEvent(new CustomEvent("checked", { detail: next }));
  const shown = document.getElementById(form.getAttribute("action").split("#")[1]) ?? main.querySelector(".notice");
  shown?.setAttribute("tabindex", "-1");
  shown?.focus();
}

function rest(submitter) {
  work = null;
  box.hidden = true;
  for (const one of [form, submitter]) {
    one.removeAttribute("aria-busy");
  }
}

async function check(submitter) {
  work = new AbortController();
  const { signal } = work;
  form.setAttribute("aria-busy", "true");
  submitter.setAttribute("aria-busy", "true");
  show({ text: words.checking });
  const timer = setTimeout(() => { box.hidden = false; }, PATIENCE);
  try {
    const { page } = await ask(submitter, signal);
    if (page === undefined) {
      sendAnyway(submitter);
      return;
    }
    rest(submitter);
    graft(page);
  } catch {
    rest(submitter);
    outcome.textContent = signal.aborted ? words.stopped : words.failed;
    form.dispatchEvent(new Event("stopped"));
    submitter.focus();
  } finally {
    clearTimeout(timer);
  }
}

box.querySelector("button").addEventListener("click", () => work?.abort());
form.addEventListener("submit", (event) => {
  const { submitter } = event;
  outcome.textContent = "";
  if (form.getAttribute("aria-busy")) {
    event.preventDefault();
  } else if (submitter?.hasAttribute("formaction") || submitter?.name === "move" || submitter?.value === "publish") {
    form.setAttribute("aria-busy", "true");
    submitter.setAttribute("aria-busy", "true");
  } else if (submitter) {
    event.preventDefault();
    check(submitter);
  }
});

// Whoever comes back to the page by the browser's button finds it as it was before.
window.addEventListener("pageshow", () => {
  box.hidden = true;
  for (const busy of [form, ...form.querySelectorAll("[aria-busy]")]) {
    busy.removeAttribute("aria-busy");
  }
});
