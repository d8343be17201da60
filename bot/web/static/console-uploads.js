// Images that are chosen, dropped anywhere on the page or pasted, sent one after the other.

// What a form has around an image.
const MARGIN = 64 * 1024;
let queue = Promise.resolve();

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** Say in `outcomes` what came of an image; `kind`: good, warn or bad. */
export function tell(outcomes, text, kind) {
  const notice = document.createElement("div");
  notice.className = `notice ${kind}`;
  notice.setAttribute("role", kind === "bad" ? "alert" : "status");
  const paragraph = document.createElement("p");
  paragraph.textContent = text;
  notice.append(paragraph);
  outcomes.append(notice);
}

/**
 * Take images in. `zone` is what they are dropped on, whose data-max, data-sending, data-large and data-failed are the
 * limit and the words; `inputs` where they are chosen, `progress` and `outcomes` where the words go. `send(body)`
 * posts a form with one image and shows what came of it; if it throws, the image was not uploaded.
 */
export function receive({ zone, inputs, progress, outcomes, send }) {
  const words = zone.dataset;

  async function sendOne(file) {
    if (file.size > words.max - MARGIN) {
      tell(outcomes, fill(words.large, { name: file.name }), "bad");
      return;
    }
    const body = new FormData();
    body.append("image", file, file.name);
    try {
      await send(body);
    } catch {
      tell(outcomes, fill(words.failed, { name: file.name }), "bad");
    }
  }

  async function sendAll(files) {
    outcomes.replaceChildren();
    zone.setAttribute("aria-busy", "true");
    for (const [index, file] of files.entries()) {
      progress.textContent = fill(words.sending, { n: index + 1, all: files.length, name: file.name });
      await sendOne(file);
    }
    progress.textContent = "";
    zone.removeAttribute("aria-busy");
  }

  function take(list) {
    const files = [...list];
    if (files.length > 0) {
      queue = queue.then(() => sendAll(files));
    }
  }

  for (const input of inputs) {
    const takeChosen = () => {
      take(input.files);
      input.value = "";
    };
    input.addEventListener("change", takeChosen);
    takeChosen(); // what was chosen before this ran
  }
  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer.types.includes("Files")) {
      event.preventDefault();
      zone.classList.add("is-over");
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) {
      zone.classList.remove("is-over");
    }
  });
  document.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length > 0) {
      event.preventDefault();
      zone.classList.remove("is-over");
      take(event.dataTransfer.files);
    }
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length > 0) {
      event.preventDefault();
      take(event.clipboardData.files);
    }
  });
  for (const hint of zone.querySelectorAll(".with-script")) {
    hint.hidden = false;
  }
}
