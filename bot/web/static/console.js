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

// On a phone the navigation is wider than the screen.
document.querySelector(".pages [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
