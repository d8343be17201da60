"use strict";

// The form works by itself: a field and a kind of match for each keyword. Here keywords become chips (Enter adds one,
// a pasted list is split).

const form = document.getElementById("rule");

function button(text, label) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (label) {
    made.setAttribute("aria-label", label);
  }
  return made;
}

/** The words of a list, typed or copied from a spreadsheet; a comma between digits is part of a number. */
function split(text) {
  return text.split(/[\t\n\r;|]|,(?!\d)|(?<!\d),/).map((part) => part.trim().replace(/\s+/g, " ")).filter(Boolean);
}

/** The same, without the dashes, bullets and quotes that a list may be copied with. */
function splitCopied(text) {
  return split(text).map((part) => part.replace(/^[-–•*+] /, "").replace(/^"(.+)"$/, "$1"));
}

function makeChips(field) {
  const name = field.dataset.name;
  const list = field.querySelector(".rows");
  const rows = [...list.children];
  const adding = rows[rows.length - 1];
  const input = adding.querySelector("input");
  const select = adding.querySelector("select");

  function changed() {
    form.dispatchEvent(new Event("input"));
  }

  /** Put the words of a chip back into the field, to be changed. */
  function take(item) {
    add(split(input.value));
    input.value = item.querySelector("input").value;
    select.value = item.querySelectorAll("input")[1].value;
    item.remove();
    input.focus();
    changed();
  }

  function chip(text, match) {
    const item = document.createElement("li");
    item.className = name === "exclude" ? "chip not" : "chip";
    for (const [key, value] of [[name, text], [`${name}_match`, match]]) {
      const hidden = document.createElement("input");
      hidden.type = "hidden";
      hidden.name = key;
      hidden.value = value;
      item.append(hidden);
    }
    const words = button("", `${field.dataset.change}: ${text}`);
    words.className = "words";
    words.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (match !== "phrase") {
      const kind = document.createElement("i");
      kind.textContent = [...select.options].find((option) => option.value === match).textContent;
      words.append(kind);
    }
    words.addEventListener("click", () => take(item));
    const remove = button("×", `${field.dataset.remove}: ${text}`);
    remove.addEventListener("click", () => {
      item.remove();
      input.focus();
      changed();
    });
    item.append(words, remove);
    return item;
  }

  /** Add chips; one that is there gets the kind of match that is chosen now. */
  function add(texts) {
    const shown = [...list.querySelectorAll("li.chip")];
    const known = new Map(shown.map((item) => [item.querySelector("input").value.toLowerCase(), item]));
    for (const text of texts) {
      const made = chip(text, select.value);
      const old = known.get(text.toLowerCase());
      known.set(text.toLowerCase(), made);
      if (old) {
        old.replaceWith(made);
      } else {
        list.insertBefore(made, adding);
      }
    }
    input.value = "";
    changed();
  }

  form.addEventListener("restore", ({ detail: { values } }) => {
    list.querySelectorAll("li.chip").forEach((item) => item.remove());
    const matches = values.getAll(`${name}_match`);
    values.getAll(name).forEach((text, index) => list.insertBefore(chip(text, matches[index]), adding));
  });

  for (const row of rows.slice(0, -1)) {
    const text = row.querySelector("input").value.trim();
    if (text) {
      list.insertBefore(chip(text, row.querySelector("select").value), adding);
    }
    row.remove();
  }
  field.classList.add("with-chips");
  adding.className = "adding";
  input.placeholder = field.dataset.add;
  input.setAttribute("aria-label", field.querySelector("legend").textContent);
  select.setAttribute("aria-label", select.getAttribute("aria-label").replace(/ \d+$/, ""));
  const plus = button("+", field.dataset.plus);
  plus.addEventListener("click", () => {
    add(split(input.value));
    input.focus();
  });
  adding.append(plus);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && input.value.trim()) {
      event.preventDefault();
      add(split(input.value));
    } else if (event.key === "Backspace" && !input.value && adding.previousElementSibling) {
      take(adding.previousElementSibling);
      event.preventDefault();
    }
  });
  input.addEventListener("paste", (event) => {
    const parts = splitCopied(event.clipboardData.getData("text"));
    if (parts.length > 1) {
      event.preventDefault();
      add([...split(input.value), ...parts]);
    }
  });
}

for (const field of form.querySelectorAll(".keywords")) {
  makeChips(field);
}
