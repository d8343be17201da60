"use strict";

// While the event waits, what stands here is looked at again a few times, so that its end is seen without a reload.
const place = document.getElementById("event");
const waits = [1, 1, 2, 3, 5, 8, 15, 30]; // seconds

async function look() {
  try {
    const reply = await fetch(location.pathname);
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("event");
    if (fresh) {
      if (fresh.innerHTML !== place.innerHTML) {
        place.replaceChildren(...fresh.childNodes);
      }
      place.dataset.status = fresh.dataset.status;
    }
  } catch {
    // The bot or the network is away; the next look may find it.
  }
  lookLater();
}

function lookLater() {
  const seconds = place.dataset.status === "open" ? waits.shift() : undefined;
  if (seconds) {
    setTimeout(look, seconds * 1000);
  }
}

lookLater();
