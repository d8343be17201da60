"use strict";

// Copies a snippet; where the browser forbids that, as without https, it selects the text instead.
async function copy(button) {
  const snippet = document.getElementById(button.dataset.of);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(`${snippet.textContent}\n`);
    button.textContent = button.dataset.copied;
  } catch {
    getSelection().selectAllChildren(snippet);
    button.textContent = button.dataset.selected;
  }
  setTimeout(() => { button.textContent = label; }, 2500);
}

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", () => copy(button));
}
