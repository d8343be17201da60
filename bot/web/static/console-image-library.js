// The form works by itself. Here images are sent one at a time, as soon as they are chosen, dropped or pasted; each
// answer is the page anew, from which the outcomes and the library are taken.

const uploader = document.getElementById("uploader");
const outcomes = document.getElementById("outcomes");
const { receive } = await import(uploader.dataset.uploads);

receive({
  zone: uploader,
  inputs: [document.getElementById("images")],
  outcomes,
  address: uploader.action,
  show(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const said = [...page.querySelectorAll("#outcomes > *")];
    if (said.length === 0) {
      throw new Error("no outcome");
    }
    outcomes.append(...said);
    document.getElementById("library").replaceWith(page.getElementById("library"));
    return said.every((one) => !one.classList.contains("bad"));
  },
});
uploader.querySelector("button[type=submit]").hidden = true;
uploader.addEventListener("submit", (event) => event.preventDefault());
