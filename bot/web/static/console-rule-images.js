// The pictures of the reply in the form of a rule. The form works by itself; here they are uploaded as soon as they
// are chosen, dropped or pasted, picked from the library by a touch, and put in order by buttons and by dragging.

const form = document.getElementById("rule");
const list = form.querySelector(".images");
const adding = form.querySelector(".adding-images");
const picker = adding.querySelector(".picker");
const picked = picker.querySelector(".picks");
const sought = picker.querySelector(".search");
const template = document.getElementById("image-row");
const PAUSE = 300;
// Where the pictures are shown from, by their names or links: one that was removed can come back.
const addresses = new Map();

function button(text, label, work) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "small";
  made.textContent = text;
  made.dataset.label = label;
  made.addEventListener("click", work);
  return made;
}

function field(row, name) {
  return row.querySelector(`[name=image_${name}]`);
}

function fileOf(row) {
  return field(row, "kind").value === "file" ? field(row, "ref").value.trim() : "";
}

/** Bring numbers, names and marks up to date. */
function refresh() {
  const rows = [...list.children];
  const files = new Set(rows.map(fileOf));
  for (const [index, row] of rows.entries()) {
    const title = row.querySelector(".title");
    row.querySelector(".n").textContent = index + 1;
    const shown = row.querySelector(".thumb img");
    if (shown) {
      addresses.set(field(row, "ref").value, shown.src);
    }
    title.textContent = field(row, "ref").value.split("/").pop();
    row.querySelector(".up").hidden = index === 0;
    row.querySelector(".down").hidden = index === rows.length - 1;
    row.querySelector(".handle").hidden = rows.length === 1;
    for (const one of row.querySelectorAll("[data-label]")) {
      one.setAttribute("aria-label", `${one.dataset.label}: ${title.textContent || index + 1}`);
    }
  }
  form.querySelector(".several").hidden = rows.length < 2;
  for (const box of picked.querySelectorAll("input")) {
    box.checked = files.has(box.value);
  }
}

function changed() {
  refresh();
  form.dispatchEvent(new Event("input"));
}

/** Move a row to the other side of its neighbour; the button that was pressed keeps the focus. */
function move(row, pressed, step) {
  if (step < 0) {
    row.after(row.previousElementSibling);
  } else {
    row.before(row.nextElementSibling);
  }
  changed();
  (pressed.hidden ? row.querySelector(step < 0 ? ".down" : ".up") : pressed).focus();
}

function remove(row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  changed();
  (next?.querySelector(".remove") ?? document.getElementById("upload")).focus();
}

// The neighbours are moved, not the row itself: it would lose the pointer.
function drag(row, handle) {
  const middle = (one) => one.getBoundingClientRect().top + one.offsetHeight / 2;
  handle.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    row.classList.add("is-dragged");
  });
  handle.addEventListener("pointermove", (event) => {
    if (!row.classList.contains("is-dragged")) {
      return;
    }
    while (row.nextElementSibling && event.clientY > middle(row.nextElementSibling)) {
      row.before(row.nextElementSibling);
    }
    while (row.previousElementSibling && event.clientY < middle(row.previousElementSibling)) {
      row.after(row.previousElementSibling);
    }
  });
  handle.addEventListener("lostpointercapture", () => {
    row.classList.remove("is-dragged");
    changed();
  });
}

function dress(row) {
  const order = row.querySelector(".order");
  const up = order.querySelector(".up");
  const handle = document.createElement("span");
  const moveUp = button("↑", up.dataset.label, () => move(row, moveUp, -1));
  const moveDown = button("↓", list.dataset.down, () => move(row, moveDown, 1));
  const away = button("×", list.dataset.remove, () => remove(row));
  moveUp.classList.add("up");
  moveDown.classList.add("down");
  away.classList.add("remove");
  handle.className = "handle";
  handle.textContent = "⠿";
  handle.title = list.dataset.drag;
  handle.setAttribute("aria-hidden", "true");
  order.replaceChildren(handle, moveUp, moveDown, away);
  for (const name of ["kind", "ref"]) {
    field(row, name).addEventListener("change", changed);
  }
  drag(row, handle);
}

function addRow({ name = "", address = "" }) {
  const row = template.content.firstElementChild.cloneNode(true);
  row.classList.remove("spare");
  dress(row);
  if (name) {
    field(row, "kind").value = "file";
    field(row, "ref").value = name;
    row.querySelector("details").open = false;
    showThumb(row, address);
  }
  list.append(row);
  changed();
  return row;
}

function showThumb(row, address) {
  row.querySelector(".thumb").append(Object.assign(document.createElement("img"), { src: address, alt: "" }));
}

/** Put the images back as they were: kind, link or name, weight, day of the upload and stand-in of each. */
function restore(images) {
  list.replaceChildren();
  for (const [kind, ref, weight, uploaded, other] of images) {
    const row = addRow({});
    const values = { kind, ref, weight, uploaded, else: other };
    Object.entries(values).forEach(([name, value]) => { field(row, name).value = value; });
    row.querySelector("details").open = !ref || Boolean(uploaded || other);
    if (addresses.has(ref)) {
      showThumb(row, addresses.get(ref));
    }
  }
  refresh();
}

/** Add an image of the library, unless it is there. */
function take(image) {
  if (![...list.children].some((row) => fileOf(row) === image.name)) {
    addRow(image);
  }
}

async function showPicks(address, shown) {
  const response = await fetch(address, { redirect: "error" });
  if (!response.ok) {
    return;
  }
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  shown(holder.content);
  dressPicks();
}

function dressPicks() {
  const files = new Set([...list.children].map(fileOf));
  for (const box of picked.querySelectorAll("input")) {
    box.removeAttribute("name"); // it goes with its row
    box.checked = files.has(box.value);
  }
  const rest = picked.querySelector(".rest");
  if (rest) {
    rest.hidden = false;
    rest.querySelector("a").addEventListener("click", (event) => {
      event.preventDefault();
      showPicks(event.target.href, (more) => rest.replaceWith(more)).catch(() => {});
    });
  }
}

/** Show what the library has now. */
function findPicks() {
  const address = `${adding.dataset.picks}?q=${encodeURIComponent(sought.value)}`;
  showPicks(address, (found) => picked.replaceChildren(found)).catch(() => {});
}

function search(input) {
  let timer = 0;
  input.hidden = false;
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
    }
  });
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    clearTimeout(timer);
    timer = setTimeout(findPicks, PAUSE);
  });
}

const { receive, tell } = await import(adding.dataset.uploads);

for (const row of [...list.children]) {
  if (row.classList.contains("spare")) {
    row.remove();
  } else {
    dress(row);
  }
}
const camera = adding.querySelector(".camera");
camera.hidden = !matchMedia("(pointer: coarse)").matches;
receive({
  zone: adding,
  inputs: [document.getElementById("upload"), camera.querySelector("input")],
  outcomes: adding.querySelector(".outcomes"),
  address: adding.dataset.add,
  show(answer) {
    const { text, kind, name, address } = JSON.parse(answer);
    tell(adding.querySelector(".outcomes"), text, kind);
    if (name) {
      take({ name, address });
      findPicks();
    }
    return Boolean(name);
  },
});
picked.addEventListener("change", (event) => {
  const box = event.target;
  if (box.checked) {
    take({ name: box.value, address: box.closest("li").querySelector("img").src });
  } else {
    [...list.children].find((row) => fileOf(row) === box.value)?.remove();
    changed();
  }
});
form.addEventListener("restore", ({ detail }) => restore(detail.images));
search(sought);
dressPicks();
const link = button(adding.dataset.link, adding.dataset.link, () => field(addRow({}), "ref").focus());
link.removeAttribute("data-label");
adding.append(link);
refresh();
