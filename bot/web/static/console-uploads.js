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

/** Post a form; `onSent` is called with the bytes that are on their way, and at their end with Infinity. */
function post(address, body, onSent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.upload.addEventListener("progress", ({ loaded }) => onSent(loaded));
    request.upload.addEventListener("load", () => onSent(Infinity));
    request.addEventListener("load", () => resolve({ isTaken: request.status < 400, text: request.responseText }));
    request.addEventListener("error", reject);
    request.addEventListener("abort", reject);
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/**
 * Take images in. `zone` is what they are dropped on, whose data-max, data-large and data-failed are the limit and the
 * words; `inputs` where they are chosen, `outcomes` where the words go. Each is posted to `address` in a form of its
 * own; `show(text)` shows the answer, and returns whether the image is stored; it throws if it was not uploaded.
 *
 * `.uploads` within the zone shows how far it is. Its button stops it: what is stored stays, what is on its way is
 * given up, and what the server prepares already is waited for, as it will be stored.
 */
export function receive({ zone, inputs, outcomes, address, show }) {
  const words = zone.dataset;
  const box = zone.querySelector(".uploads");
  const bar = box.querySelector("progress");
  const state = box.querySelector("[role=status]");
  const stop = box.querySelector("button");
  let round = 0;
  let current = null;

  /** Upload one image; returns whether it is stored. `onSent` is called as by `post`. */
  async function sendOne(file, onSent) {
    if (file.size > words.max - MARGIN) {
      tell(outcomes, fill(words.large, { name: file.name }), "bad");
      return false;
    }
    const body = new FormData();
    body.append("image", file, file.name);
    const controller = new AbortController();
    current = controller;
    try {
      const { isTaken, text } = await post(address, body, onSent, controller.signal);
      return show(text) && isTaken;
    } catch {
      if (!controller.signal.aborted) {
        tell(outcomes, fill(words.failed, { name: file.name }), "bad");
      }
      return false;
    } finally {
      current = null;
    }
  }

  async function sendAll(files, ours) {
    if (ours !== round) {
      return;
    }
    const all = files.length;
    let stored = 0;
    let before = 0;
    outcomes.replaceChildren();
    zone.setAttribute("aria-busy", "true");
    bar.max = files.reduce((sum, file) => sum + file.size, 1);
    box.hidden = stop.hidden = false;
    for (const [index, file] of files.entries()) {
      const values = { n: index + 1, all, name: file.name };
      state.textContent = fill(box.dataset.sending, values);
      stored += await sendOne(file, (sent) => {
        bar.value = before + Math.min(sent, file.size);
        if (sent === Infinity && current) {
          state.textContent = fill(box.dataset.preparing, values);
          current = null;
        }
      });
      before += file.size;
      bar.value = before;
      if (ours !== round) {
        tell(outcomes, fill(box.dataset.stopped, { stored, all }), "warn");
        break;
      }
    }
    box.hidden = true;
    state.textContent = "";
    zone.removeAttribute("aria-busy");
  }

  stop.addEventListener("click", () => {
    round += 1;
    stop.hidden = true;
    if (current) {
      current.abort();
    } else {
      state.textContent = box.dataset.stopping;
    }
  });

  function take(list) {
    const files = [...list];
    if (files.length > 0) {
      const ours = round;
      queue = queue.then(() => sendAll(files, ours));
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
