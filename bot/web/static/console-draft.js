// Saves the text of the page Check, or the rule form, as the browser's draft while somebody types. Without this, a
// button does.
const form = document.querySelector("form[data-autosave]");
const sheet = document.getElementById("text"); // null in the rule form
const status = document.getElementById("saved");
const conflict = document.getElementById("draft-conflict");

const PAUSE = 1500;
const LONGEST_PAUSE = 5000;
const RETRY = 5000;

let edits = 0;
let saved = read();
let unsavedSince = 0;
let timer = 0;
let isSaving = false;
let sent = 0; // `edits` where the form was sent last
let isLeaving = false;

/** What there is to save: the text, or how often the form was changed. */
function read() {
  return sheet ? sheet.value : edits;
}

const isUnsaved = () => read() !== saved;

function say(text, login = "") {
  status.textContent = text;
  if (login) {
    const link = document.createElement("a");
    Object.assign(link, { href: login, target: "_blank", rel: "noopener", textContent: status.dataset.logIn });
    status.append(" ", link);
  }
}

function plan(pause = PAUSE) {
  clearTimeout(timer);
  unsavedSince ||= Date.now();
  timer = setTimeout(save, Math.max(0, Math.min(pause, unsavedSince + LONGEST_PAUSE - Date.now())));
}

async function save(replaces) {
  clearTimeout(timer);
  const isTold = typeof replaces === "number";
  if (isSaving || isLeaving || !(isTold || (isUnsaved() && conflict.hidden))) {
    return;
  }
  isSaving = true;
  const text = read();
  try {
    keep(text, await send(text, isTold ? replaces : null));
  } catch {
    say(status.dataset.unsaved);
    setTimeout(save, RETRY);
  } finally {
    isSaving = false;
  }
  if (isUnsaved() && conflict.hidden) {
    unsavedSince = 0;
    plan();
  }
}

async function send(text, replaces) {
  const data = sheet ? new FormData() : new FormData(form);
  data.delete("upload"); // images are uploaded by themselves
  if (sheet) {
    data.set("text", text);
    for (const name of ["base_digest", "revision", "tab"]) {
      data.set(name, form.elements[name].value);
    }
  }
  if (replaces !== null) {
    data.set("replaces", replaces);
  }
  const response = await fetch(form.dataset.autosave, { method: "POST", body: data, redirect: "manual" });
  if (response.type === "opaqueredirect") { // somebody ended the session
    return { state: "logged-out" };
  }
  if (![200, 409, 413].includes(response.status)) {
    throw new Error(response.status);
  }
  return { state: { 200: "saved", 409: "conflict", 413: "refused" }[response.status], ...(await response.json().catch(() => ({}))) };
}

function keep(text, { state, revision, text: message, login }) {
  if (state === "saved") {
    saved = text;
    unsavedSince = 0;
    form.elements.revision.value = revision;
    conflict.hidden = true;
    say(message, login);
    settleAddress();
  } else if (state === "conflict") {
    say("");
    conflict.querySelector("p").textContent = message;
    conflict.querySelector("button").value = revision;
    conflict.hidden = false;
  } else if (state === "refused") {
    say(message ?? status.dataset.unsaved);
  } else {
    say(status.dataset.loggedOut, form.dataset.login);
    setTimeout(save, RETRY);
  }
}

// From now on this page is the draft: whoever comes back to it, or reads it in the other language, gets it.
function settleAddress() {
  history.replaceState(history.state, "", form.dataset.page);
  for (const link of document.querySelectorAll("a[hreflang]")) {
    link.href = `${form.dataset.page}${form.dataset.page.includes("?") ? "&" : "?"}lang=${link.hreflang}`;
  }
}

document.getElementById("save-draft")?.setAttribute("hidden", "");
(sheet ?? form).addEventListener("input", () => {
  edits += 1;
  plan();
});
conflict.querySelector("button").addEventListener("click", (event) => {
  event.preventDefault();
  save(Number(event.currentTarget.value));
});
conflict.querySelector("a").addEventListener("click", () => { isLeaving = true; });
document.getElementById("discard")?.addEventListener("click", (event) => {
  isLeaving = confirm(event.currentTarget.dataset.sure);
  if (!isLeaving) {
    event.preventDefault();
  }
});
form.addEventListener("submit", () => {
  isLeaving = true;
  sent = edits;
});
form.addEventListener("stopped", () => { isLeaving = false; });
form.addEventListener("checked", ({ detail }) => {
  isLeaving = false;
  saved = sheet ? detail.elements.text.value : sent; // a check saves it as well
  if (isUnsaved()) {
    plan();
  }
});
window.addEventListener("pageshow", () => { isLeaving = false; });
window.addEventListener("focus", () => save());
document.addEventListener("visibilitychange", () => save());
window.addEventListener("beforeunload", (event) => {
  if (isUnsaved() && !isLeaving) {
    save();
    event.preventDefault();
  }
});
