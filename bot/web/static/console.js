"use strict";

// A picture that does not load gives way to the words beside it. Those that failed before this ran are found at the end.
function giveWay(image) {
  const words = image.closest(".picture")?.querySelector(".no-picture");
  if (words) {
    image.closest("a").hidden = true;
    words.hidden = false;
  }
}

document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement) {
    giveWay(event.target);
  }
}, true);

for (const image of document.images) {
  if (image.complete && image.naturalWidth === 0 && image.currentSrc) {
    giveWay(image);
  }
}

// The pages behind "More" go away again by Escape or a touch elsewhere.
const more = document.querySelector(".page-bar details");

document.addEventListener("click", (event) => {
  if (more?.open && !more.contains(event.target)) {
    more.open = false;
  }
});

function isTyping(event) {
  const target = event.composedPath()[0]; // within the text editor's shadow root, too
  return target.isContentEditable || target.matches?.("input, select, textarea");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && more?.open) {
    more.open = false;
    more.querySelector("summary").focus();
  }
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && !isTyping(event)) {
    event.preventDefault(); // else the slash is typed
    search.focus();
    search.select();
  }
});
