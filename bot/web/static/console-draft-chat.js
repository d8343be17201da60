// The chat with the draft on the page Check: it works by itself; here its answers follow what is typed into the editor.
const form = document.getElementById("check");
const chat = document.getElementById("chat");
const log = document.getElementById("log");
const answers = document.getElementById("answers");
const input = document.getElementById("say");

let newest = "";

function say(sentence) {
  if (!sentence.trim()) {
    return;
  }
  answers.querySelector(".hint-bubble")?.remove();
  for (const known of answers.querySelectorAll("[name=sentence]")) {
    if (known.value === sentence.trim()) {
      known.closest("li").remove(); // it comes again below
    }
  }
  const line = document.createElement("li");
  const bubble = document.createElement("span");
  const hidden = document.createElement("input");
  line.className = "mine";
  bubble.className = "bubble";
  bubble.textContent = newest = sentence.trim();
  Object.assign(hidden, { type: "hidden", name: "sentence", value: newest });
  hidden.setAttribute("form", "check");
  line.append(hidden, bubble);
  answers.append(line);
  log.scrollTop = log.scrollHeight;
  answers.setAttribute("aria-busy", "true");
  input.value = "";
  form.dispatchEvent(new Event("ask"));
}

function show({ html, sentences }) {
  const now = [...answers.querySelectorAll("[name=sentence]")].map((field) => field.value);
  if (now.length === 0 || now.join("\n") !== sentences.join("\n")) {
    return; // another sentence came meanwhile, and its answer will
  }
  const page = new DOMParser().parseFromString(html, "text/html");
  const top = log.scrollTop;
  answers.removeAttribute("aria-busy");
  if (html === show.last) {
    return;
  }
  show.last = html;
  answers.replaceChildren(...page.body.children);
  log.scrollTop = newest ? log.scrollHeight : top;
  newest = "";
}

async function addExample(button) {
  const data = new FormData();
  data.set("text", form.elements.text.value);
  data.set("example", button.value);
  button.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(button.formAction, {
      method: "POST", body: data, headers: { Accept: "application/json" }, redirect: "error",
    });
    const { text, note } = await response.json();
    if (text) {
      form.dispatchEvent(new CustomEvent("write", { detail: text }));
      form.dispatchEvent(new Event("ask"));
    } else {
      tell(note);
    }
  } catch {
    tell(chat.dataset.failed);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function tell(text) {
  const line = document.createElement("li");
  line.className = "silence";
  line.setAttribute("role", "alert");
  line.textContent = text;
  answers.append(line);
  log.scrollTop = log.scrollHeight;
}

chat.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) {
    return;
  }
  event.preventDefault();
  if (button.name === "example") {
    addExample(button);
  } else {
    say(button.name === "say" ? button.value : input.value);
  }
});
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    say(input.value);
  }
});
form.addEventListener("answered", ({ detail }) => show(detail));
// A picture has no height until it is loaded.
log.addEventListener("load", () => { log.scrollTop = log.scrollHeight; }, true);
log.scrollTop = log.scrollHeight;
