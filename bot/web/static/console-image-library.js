"use strict";

// The form works by itself. Here images are sent one at a time, as soon as they are chosen, dropped or pasted; each
// answer is the page anew, of which what was said and the library are taken over.

const uploader = document.getElementById("uploader");
const input = document.getElementById("images");
const progress = uploader.querySelector(".progress");
const outcomes = document.getElementById("outcomes");
const words = uploader.dataset;
// What a form has around an image.
const MARGIN = 64 * 1024;
let queue = Promise.resolve();

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

function tell(text) {
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  const said = document.createElement("p");
  said.textContent = text;
  notice.append(said);
  outcomes.append(notice);
}

async function send(file) {
  if (file.size > words.max - MARGIN) {
    tell(fill(words.large, { name: file.name }));
    return;
  }
  const body = new FormData();
  body.append("image", file, file.name);
  try {
    const answer = await fetch(uploader.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const said = page.querySelectorAll("#outcomes > *");
    if (said.length === 0) {
      throw new Error("no outcome");
    }
    outcomes.append(...said);
    document.getElementById("library").replaceWith(page.getElementById("library"));
  } catch {
    tell(fill(words.failed, { name: file.name }));
  }
}

async function sendAll(files) {
  outcomes.replaceChildren();
  uploader.setAttribute("aria-busy", "true");
  for (const [index, file] of files.entries()) {
    progress.textContent = fill(words.sending, { n: index + 1, all: files.length, name: file.name });
    await send(file);
  }
  progress.textContent = "";
  uploader.removeAttribute("aria-busy");
}

function take(list) {
  const files = [...list];
  if (files.length > 0) {
    queue = queue.then(() => sendAll(files));
  }
}

uploader.querySelector(".with-script").hidden = false;
uploader.querySelector("button").hidden = true;

input.addEventListener("change", () => {
  take(input.files);
  input.value = "";
});
uploader.addEventListener("submit", (event) => event.preventDefault());

document.addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files")) {
    event.preventDefault();
    uploader.classList.add("is-over");
  }
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) {
    uploader.classList.remove("is-over");
  }
});
document.addEventListener("drop", (event) => {
  if (event.dataTransfer.files.length > 0) {
    event.preventDefault();
    uploader.classList.remove("is-over");
    take(event.dataTransfer.files);
  }
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length > 0) {
    event.preventDefault();
    take(event.clipboardData.files);
  }
});
