// After a publication: look again until the bot has taken it, and put what the page says then in the place of what it
// said, so that nobody is disturbed in typing. Without this, the page loads itself again.
const PAUSE = 1000;

async function look(address) {
  const response = await fetch(address, { redirect: "error" });
  if (!response.ok) {
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const later = page.querySelector("script[data-next]");
  if (later) {
    plan(later.dataset.next);
    return;
  }
  for (const fresh of page.querySelectorAll("[data-taken]")) {
    document.getElementById(fresh.id).replaceChildren(...fresh.childNodes);
  }
}

function plan(address) {
  // Where the server does not answer, the page stays as it is.
  setTimeout(() => look(address).catch(() => {}), PAUSE);
}

plan(document.querySelector("script[data-next]").dataset.next);
