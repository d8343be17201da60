// Undo and redo in the rule form: a step is a chip, an image, or what was typed until a pause. Chips and images are put
// back by their own scripts, at the form's event "restore".

const form = document.getElementById("rule");
const tools = form.querySelector(".undo");
const PAUSE = 500;
const MAX_STEPS = 100;
const NOT_EDITED = new Set(["upload", "mark", "checked", "over", "revision", "tab", "author", "note", "confirmed"]);
const IMAGE_FIELDS = ["image_kind", "image_ref", "image_weight", "image_uploaded", "image_else"];
let steps = [read()];
let present = 0;
let timer = 0;
let isMoving = false; // the fields are being put back one by one

function isEdited(name) {
  return name && !NOT_EDITED.has(name) && !IMAGE_FIELDS.includes(name);
}

/** What the form holds, as text; an empty row for an image does not count. */
function read() {
  const rows = [...form.querySelectorAll(".images > li")];
  const images = rows.map((row) => IMAGE_FIELDS.map((name) => row.querySelector(`[name=${name}]`).value));
  return JSON.stringify({
    fields: [...new FormData(form)].filter(([name]) => isEdited(name)),
    images: images.filter(([, ...texts]) => texts.some(Boolean)),
  });
}

function showTools() {
  tools.querySelector("[data-command=undo]").disabled = present === 0;
  tools.querySelector("[data-command=redo]").disabled = present === steps.length - 1;
}

function record() {
  clearTimeout(timer);
  const now = isMoving ? steps[present] : read();
  if (now !== steps[present]) {
    steps = [...steps.slice(0, present + 1), now].slice(-MAX_STEPS);
    present = steps.length - 1;
  }
  showTools();
}

function put({ fields, images }) {
  const values = new URLSearchParams(fields);
  for (const field of form.elements) {
    if (!isEdited(field.name) || field.type === "hidden" || field.tagName === "BUTTON") {
      continue;
    }
    if (["checkbox", "radio"].includes(field.type)) {
      field.checked = values.getAll(field.name).includes(field.value);
    } else {
      field.value = values.get(field.name) ?? "";
    }
  }
  form.dispatchEvent(new CustomEvent("restore", { detail: { values, images } }));
}

function move(by) {
  record();
  if (steps[present + by] !== undefined) {
    present += by;
    isMoving = true;
    put(JSON.parse(steps[present]));
    isMoving = false;
    steps[present] = read(); // the order of its fields may be another
    form.dispatchEvent(new Event("input"));
    showTools();
  }
}

/** Whether the browser's own undo is meant: within a text that is being typed. */
function isTyping({ target }) {
  return target.matches("textarea, input:not([type=checkbox], [type=radio], [type=file])") && target.value !== "";
}

form.addEventListener("input", (event) => {
  clearTimeout(timer);
  if (event.target === form) { // a chip or an image came or went
    record();
  } else {
    timer = setTimeout(record, PAUSE);
  }
});
tools.addEventListener("click", (event) => {
  const command = event.target.closest("button")?.dataset.command;
  if (command) {
    move(command === "undo" ? -1 : 1);
  }
});
document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && ["z", "y"].includes(key) && !isTyping(event)) {
    event.preventDefault();
    move(key === "y" || event.shiftKey ? 1 : -1);
  }
});
tools.hidden = false;
showTools();
