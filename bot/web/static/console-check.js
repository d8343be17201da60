"use strict";

// The page works by itself; here the number of a line leads to it, and the text becomes an editor.
const form = document.getElementById("check");
const sheet = document.getElementById("text");

let editor = null;

function goTo(number) {
  if (editor) {
    editor.goTo(number);
    return;
  }
  const lines = sheet.value.split("\n");
  const start = lines.slice(0, number - 1).reduce((length, line) => length + line.length + 1, 0);
  sheet.focus({ preventScroll: true });
  sheet.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
  const height = parseFloat(getComputedStyle(sheet).lineHeight);
  sheet.scrollTop = Math.max(0, (number - 1) * height - sheet.clientHeight / 2);
  sheet.scrollLeft = 0;
  sheet.scrollIntoView({ block: "nearest" });
}

function linkPlaces() {
  for (const place of document.querySelectorAll("#findings .place")) {
    const number = Number(/\d+/.exec(place.textContent)[0]);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = place.textContent;
    button.addEventListener("click", () => goTo(number));
    place.replaceChildren(button);
  }
}

if (sheet.value) {
  linkPlaces();
}

// While somebody types: what the check would say, and what the chat is answered, once they pause.
const PAUSE = 900;
let timer = 0;

async function diagnose() {
  const text = sheet.value;
  const sentences = [...document.querySelectorAll("#answers [name=sentence]")].map((input) => input.value);
  if (!text.trim()) {
    editor?.diagnose([]);
    return;
  }
  const data = new FormData();
  data.set("text", text);
  sentences.forEach((sentence) => data.append("sentence", sentence));
  try {
    const response = await fetch(form.dataset.problems, { method: "POST", body: data, redirect: "error" });
    if (!response.ok) {
      return;
    }
    const told = await response.json();
    if (text !== sheet.value || told === null) {
      later();
      return;
    }
    editor?.diagnose(told.findings);
    form.dispatchEvent(new CustomEvent("answered", { detail: { html: told.chat, sentences } }));
  } catch {
    // The server does not answer, or wants a log-in: the button "Check" tells more.
  }
}

function later(pause = PAUSE) {
  clearTimeout(timer);
  timer = setTimeout(diagnose, pause);
}

// The chat has a new sentence, or a text in which it is an example.
form.addEventListener("ask", () => later(0));
form.addEventListener("write", ({ detail }) => write(detail));

function write(text) {
  if (editor) {
    editor.write(text);
  } else {
    sheet.value = text;
    sheet.dispatchEvent(new Event("input"));
  }
}

/** Make the edits of a fix, as one step; false if the text has other characters there. */
function applyFix(edits) {
  const lines = sheet.value.split("\n");
  for (const { line, column, old, new: text } of edits) {
    const letters = Array.from(lines[line - 1] ?? "");
    const start = column - 1;
    const end = start + Array.from(old).length;
    if (letters.slice(start, end).join("") !== old) {
      return false;
    }
    letters.splice(start, end - start, text);
    lines[line - 1] = letters.join("");
  }
  write(lines.join("\n"));
  return true;
}

// Where the text has changed since, the server gets the button's form, and says so.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=fix]");
  if (!button) {
    return;
  }
  if (form.getAttribute("aria-busy")) {
    event.preventDefault();
  } else if (applyFix(JSON.parse(button.value))) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("button.primary"));
  }
});

async function improve() {
  const label = document.querySelector("label[for=text]");
  const [{ mount }, schema] = await Promise.all([
    import(form.dataset.editor),
    fetch(form.dataset.schema).then((response) => response.json()),
  ]);
  editor = await mount(sheet, {
    library: new URL(form.dataset.library, location.href).href,
    schema,
    language: document.documentElement.lang,
    label: label.textContent,
    tools: document.getElementById("tools"),
    onChange: () => {
      sheet.dispatchEvent(new Event("input"));
      later();
    },
    fixLabel: form.dataset.fix,
    onFix(edits) {
      applyFix(edits);
      later(0);
    },
    onSubmit: () => form.requestSubmit(form.querySelector("button.primary")),
  });
  label.addEventListener("click", editor.focus);
  label.removeAttribute("for");  // it is the editor's now
  sheet.setAttribute("aria-label", label.textContent);
  if (form.dataset.line) {
    goTo(Number(form.dataset.line));
  }
  later();
}

improve();

// What was checked may be another text: a file that was chosen, or one with what others have changed.
let sent = "";
form.addEventListener("submit", () => { sent = sheet.value; });
form.addEventListener("checked", ({ detail }) => {
  const text = detail.elements.text.value;
  form.elements.file.value = "";
  if (text !== sent && sent === sheet.value) {
    write(text);
  }
  linkPlaces();
});
