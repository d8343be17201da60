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

function makeChips(field) {
  const name = field.dataset.name;
  const list = field.querySelector(".rows");
  const rows = [...list.children];
  const adding = rows[rows.length - 1];
  const input = adding.querySelector("input");
  const select = adding.querySelector("select");

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
    const words = document.createElement("span");
    words.textContent = text;
    item.append(words);
    if (match !== "phrase") {
      const kind = document.createElement("i");
      kind.textContent = [...select.options].find((option) => option.value === match).textContent;
      item.append(kind);
    }
    const remove = button("×", `${field.dataset.remove}: ${text}`);
    remove.addEventListener("click", () => {
      item.remove();
      input.focus();
      form.dispatchEvent(new Event("input"));
    });
    item.append(remove);
    return item;
  }

  function add(texts) {
    const known = new Set([...list.querySelectorAll(`input[type=hidden][name=${name}]`)].map((one) => one.value));
    for (const text of texts.map((one) => one.trim().replace(/\s+/g, " "))) {
      if (text && !known.has(text)) {
        known.add(text);
        list.insertBefore(chip(text, select.value), adding);
      }
    }
    input.value = "";
    form.dispatchEvent(new Event("input"));
  }

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
  const plus = button("+", field.dataset.add);
  plus.addEventListener("click", () => {
    add([input.value]);
    input.focus();
  });
  adding.append(plus);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && input.value.trim()) {
      event.preventDefault();
      add([input.value]);
    } else if (event.key === "Backspace" && !input.value && adding.previousElementSibling) {
      const last = adding.previousElementSibling;
      input.value = last.querySelector("input").value;
      last.remove();
      event.preventDefault();
    }
  });
  input.addEventListener("paste", (event) => {
    const pasted = event.clipboardData.getData("text");
    // A comma between digits is part of a number.
    const parts = pasted.split(/[\n;|]|,(?!\d)|(?<!\d),/).filter((part) => part.trim());
    if (parts.length > 1) {
      event.preventDefault();
      add(parts);
    }
  });
}

for (const field of form.querySelectorAll(".keywords")) {
  makeChips(field);
}
