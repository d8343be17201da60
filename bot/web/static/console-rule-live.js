// What the rule would do, told while the form is filled in, once somebody pauses; where nothing speaks against it, the
// rule can be published from there. Without it, the button "See what it does" tells the same.

const form = document.getElementById("rule");
const live = document.getElementById("live");
const list = live.querySelector("ul");
const state = form.querySelector(".live-state");
const check = form.querySelector(".actions [value=check]");
const publish = document.getElementById("publish");
const PAUSE = 700;
let timer = 0;
let asked = 0;

function later() {
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
}

/** The form as it would be sent, without files. A word that is being typed counts: so it does where it is sent. */
function content() {
  const data = new FormData(form);
  data.delete("upload");
  data.delete("checked");
  return data;
}

function show({ advice, checked }) {
  live.hidden = false;
  list.replaceChildren(...advice.map(({ kind, text }) => {
    const item = document.createElement("li");
    item.className = kind;
    item.textContent = text;
    return item;
  }));
  state.textContent = advice.length ? advice[0].text : "";
  state.className = `live-state ${advice.length ? advice[0].kind : ""}`;
  form.elements.checked.value = checked;
  publish.hidden = !checked;
  document.getElementById("publication").hidden = !checked;
  check.classList.toggle("primary", !checked);
}

async function look() {
  const mine = ++asked;
  state.textContent = state.dataset.checking;
  try {
    const response = await fetch(live.dataset.live, { method: "POST", body: content(), redirect: "error" });
    const found = response.ok ? await response.json() : undefined;
    if (mine !== asked) {
      return;
    }
    if (found === null) {
      later();
    } else if (found) {
      show(found);
    } else {
      state.textContent = "";
    }
  } catch {
    // The server does not answer, or wants a log-in: the buttons tell more.
    state.textContent = "";
  }
}

form.addEventListener("input", later);
// What another page filled in.
if ("new" in live.dataset && content().getAll("keyword").some(Boolean)) {
  later();
}
