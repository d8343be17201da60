// The form works by itself. Here images are sent one at a time, as soon as they are chosen, dropped or pasted; each
// answer is the page anew, from which the outcomes and the library are taken.

const uploader = document.getElementById("uploader");
const outcomes = document.getElementById("outcomes");
const { receive } = await import(uploader.dataset.uploads);

receive({
  zone: uploader,
  inputs: [document.getElementById("images")],
  progress: uploader.querySelector(".progress"),
  outcomes,
  async send(body) {
    const answer = await fetch(uploader.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const added = page.querySelectorAll("#outcomes > *");
    if (added.length === 0) {
      throw new Error("no outcome");
    }
    outcomes.append(...added);
    document.getElementById("library").replaceWith(page.getElementById("library"));
  },
});
uploader.querySelector("button").hidden = true;
uploader.addEventListener("submit", (event) => event.preventDefault());
