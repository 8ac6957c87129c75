// Makes elements. Text is only ever set as text: URLs and header fields come
// from strangers.

// el makes an element. Properties that are functions listen for the event of
// that name; children are elements or text.
export function el(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") e.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

export const byId = (id) => document.getElementById(id);

// put replaces what is in an element.
export const put = (parent, ...children) => parent.replaceChildren(...children.flat(Infinity).filter(Boolean));

// table makes a table. A column is {name, cell(row), kind, title}: kind is num,
// and wide for what a phone leaves out. Without rows it says what empty says.
export function table(columns, rows, empty) {
  if (rows.length === 0) return el("p", { class: "empty" }, empty);
  return el("table", {},
    el("thead", {}, el("tr", {}, columns.map((c) => el("th", { scope: "col", class: c.kind, title: c.title }, c.name)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, columns.map((c) => el("td", { class: c.kind }, c.cell(row)))))));
}

// choice makes a group of buttons of which one is pressed.
export function choice(group, attribute, chosen) {
  group.addEventListener("click", (e) => {
    const value = e.target.dataset[attribute];
    if (!value) return;
    for (const b of group.children) b.setAttribute("aria-pressed", String(b === e.target));
    chosen(value);
  });
}

// facts makes a list of names and values; what is empty is left out.
export function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(([, v]) => v !== "" && v !== null && v !== undefined && v !== 0)
    .map(([name, v]) => el("div", {}, el("dt", {}, name), el("dd", {}, typeof v === "object" ? v : String(v)))));
}

// bars makes rows of {name, n, title, colour} with the length of n.
export function bars(parent, rows, empty) {
  if (rows.length === 0) return put(parent, el("p", { class: "empty" }, empty));
  const total = rows.reduce((sum, r) => sum + r.n, 0);
  const most = Math.max(...rows.map((r) => r.n));
  put(parent, rows.map((r) => {
    const bar = el("i", { class: r.colour });
    bar.style.width = `${Math.max(100 * r.n / most, 0.5)}%`;
    return el("div", { class: "bar", title: r.title },
      el("span", { class: "name" }, r.name), el("span", { class: "line" }, bar),
      el("span", { class: "n" }, r.n.toLocaleString("en")), el("span", { class: "part" }, `${(100 * r.n / total).toFixed(1)} %`));
  }));
}
