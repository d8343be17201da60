// Work that takes seconds: how far it is, and a button that stops it. Without this the browser waits for the page.
//
// A form with data-progress is answered by the page around it; it names the fields that the server gives anew. A button
// with data-ahead has the server do the work that changes nothing first; only then is its form sent.

// What takes less is not worth a bar that comes and goes.
const PATIENCE = 700;
let work = null;
let passing = null;

// The part of the page that shows it, while it is below a button, and where it stands at first.
let away = null;

const partOf = (form) => form.querySelector(".progress-part") ?? document.querySelector(".progress-part");

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

/** Show how far it is, below what was pressed. */
function open(part, submitter) {
  const box = part.querySelector(".progress-box");
  const bar = box.querySelector("progress");
  const state = box.querySelector("[role=status]");
  const home = document.createComment("");
  part.before(home);
  away = { part, home };
  submitter.closest(".table, .row, p, form").after(part);
  const timer = setTimeout(() => { box.hidden = false; }, PATIENCE);
  return {
    show({ text, done, total }) {
      if (text && state.textContent !== text) {
        state.textContent = text;
      }
      if (total) {
        bar.max = total;
        bar.value = done;
      } else if (text) {
        bar.removeAttribute("value");
      }
    },
    close() {
      clearTimeout(timer);
      box.hidden = true;
    },
  };
}

function goHome() {
  away?.home.replaceWith(away.part);
  away = null;
}

async function ask(form, submitter, words, show) {
  const address = new URL(submitter.getAttribute("formaction") ?? form.getAttribute("action"), location.href);
  const sent = new FormData(form, submitter);
  const options = { headers: { Accept: words.type }, redirect: "manual", signal: work.signal };
  if (form.method === "get") {
    address.search = new URLSearchParams(sent);
  } else {
    Object.assign(options, { method: "POST", body: sent });
  }
  const response = await fetch(address, options);
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

/** What the server gives anew with each answer; the fields of the form are the editor's. */
function takeOver(form, next) {
  for (const name of form.dataset.progress.split(" ").filter(Boolean)) {
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
    form.querySelector(".progress-part").before(fresh);
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

/** Show the page that came; where it is another one, why it did. */
function showPage(form, html, part) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const next = form.hasAttribute("data-progress") && page.getElementById(form.getAttribute("id")); // form.id may be a field
  if (next) {
    goHome();
    graft(form, next, page);
  } else {
    part.querySelector(".progress-outcome").textContent = page.querySelector("#main .notice").textContent.trim();
  }
}

/** Put what stands around the form on the new page around it here. */
function graft(form, next, page) {
  const main = document.getElementById("main");
  const chat = document.getElementById("chat");
  if (chat) {
    page.getElementById("chat").replaceWith(chat);
  }
  takeOver(form, next);
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

function setBusy(...elements) {
  elements.forEach((one) => one.setAttribute("aria-busy", "true"));
}

async function begin(form, submitter) {
  goHome();
  const part = partOf(form);
  const outcome = part.querySelector(".progress-outcome");
  const words = part.querySelector(".progress-box").dataset;
  const { signal } = (work = new AbortController());
  const { show, close } = open(part, submitter);
  const rest = () => {
    work = null;
    close();
    [form, submitter].forEach((one) => one.removeAttribute("aria-busy"));
  };
  setBusy(form, submitter);
  outcome.textContent = "";
  show({ text: words.checking });
  try {
    const { page } = await ask(form, submitter, words, show);
    rest();
    if (page) {
      showPage(form, page, part);
    } else { // the work is done, or has failed: the browser shows which
      passing = submitter;
      form.requestSubmit(submitter);
    }
  } catch {
    rest();
    outcome.textContent = signal.aborted ? words.stopped : words.failed;
    form.dispatchEvent(new Event("stopped"));
    submitter.focus();
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest(".progress-part button")) {
    work?.abort();
  }
});
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  const isAhead = submitter?.hasAttribute("data-ahead");
  if (passing && passing === submitter) {
    passing = null;
    setBusy(form, submitter);
  } else if (!submitter || !(isAhead || form.hasAttribute("data-progress"))) {
    return;
  } else if (work || form.getAttribute("aria-busy")) {
    event.preventDefault();
  } else if (isAhead || !(submitter.hasAttribute("formaction") || submitter.name === "move")) {
    event.preventDefault();
    begin(form, submitter);
  } else {
    setBusy(form, submitter);
  }
});

// Whoever comes back to the page by the browser's button finds it as it was before.
window.addEventListener("pageshow", () => {
  for (const busy of document.querySelectorAll("form[aria-busy], form [aria-busy], button[aria-busy]")) {
    busy.removeAttribute("aria-busy");
  }
});
