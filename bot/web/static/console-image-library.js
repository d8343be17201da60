// The form works by itself. Here images are sent one at a time, as soon as they are chosen, dropped or pasted; each
// answer is the page anew, of which what was said and the library are taken over.

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
    const said = page.querySelectorAll("#outcomes > *");
    if (said.length === 0) {
      throw new Error("no outcome");
    }
    outcomes.append(...said);
    document.getElementById("library").replaceWith(page.getElementById("library"));
  },
});
uploader.querySelector("button").hidden = true;
uploader.addEventListener("submit", (event) => event.preventDefault());
