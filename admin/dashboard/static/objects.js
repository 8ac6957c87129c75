// What is stored, and what can be done with it.

import { el, byId, put, table, facts } from "./dom.js";
import { get, post, Refused } from "./api.js";
import { bytes, count, seconds } from "./format.js";
import { openDetail } from "./detail.js";
import { advice, trace } from "./trace.js";

let offers = [], renew = () => {};

export function makeObjects(show) {
  renew = show;
  byId("objects-form").addEventListener("submit", (e) => { e.preventDefault(); show(); });
}

export async function showObjects(offered) {
  offers = offered;
  const q = byId("objects-form").elements.q.value.trim();
  const { objects, looked_at: looked, complete } = await get("/api/objects", { q, limit: 100 });
  byId("objects-note").textContent = complete ? `${count(objects.length)} found` : `the first ${count(objects.length)}, after a look at ${count(looked)}; say more of the URL to see others`;
  put(byId("objects-table"), table([
    { name: "URL", cell: (o) => el("button", { type: "button", class: "link url", click: () => showObject(o) }, o.url) },
    { name: "Status", kind: "num", cell: (o) => String(o.status) },
    { name: "Type", kind: "wide", cell: (o) => o.content_type },
    { name: "Size", kind: "num", cell: (o) => bytes(o.bytes) },
    { name: "Variants", kind: "num wide", cell: (o) => count(o.variants) },
    { name: "Age", kind: "num wide", cell: (o) => seconds(o.age_s) },
    { name: "Fresh for", kind: "num", cell: (o) => freshness(o.ttl_s) },
  ], objects, q ? "Nothing stored has this in its URL." : "Nothing is stored yet. Request something cacheable through the proxy."));
}

const freshness = (ttl) => (ttl > 0 ? seconds(ttl) : el("span", { class: "tag warn" }, "stale"));

async function showObject(o) {
  const said = el("div", { id: "object-said", "aria-live": "polite", hidden: true });
  const box = el("div", {});
  await showVariants(o, box);
  openDetail(o.url, buttons(o, said, box), said, box);
}

async function showVariants(o, box) {
  try {
    const { variants } = await get("/api/objects/one", { key: o.key });
    put(box, variants.map((v, i) => variant(v, variants.length > 1 ? `Variant ${i + 1}: ` : "")));
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
    put(box, el("p", { class: "empty" }, "Nothing is stored for it now."));
  }
}

function variant(v, name) {
  return el("article", { class: "variant" },
    el("h3", {}, name, `${v.method} ${v.status} `, el("span", { class: v.stale ? "tag warn" : "tag good" }, v.stale ? "stale" : "fresh")),
    facts([
      ["For", Object.entries(v.vary || {}).map(([field, value]) => `${field}: ${value}`).join(", ")],
      ["Content", bytes(v.length) + (v.partial ? ", a part of it" : "")], ["Age", seconds(v.age_s)],
      ["Lifetime", `${seconds(v.lifetime_s)}${v.lifetime_source ? `, from ${v.lifetime_source}` : ""}`],
      ["Stale while revalidated", v.stale_while_revalidate_s ? seconds(v.stale_while_revalidate_s) : ""],
      ["Stale if the origin fails", v.stale_if_error_s ? seconds(v.stale_if_error_s) : ""],
      ["Validated at every use", v.no_cache ? "yes" : ""], ["Must be revalidated", v.must_revalidate ? "yes" : ""],
      ["ETag", v.etag], ["Last-Modified", v.last_modified], ["Tags", (v.tags || []).join(", ")],
    ]),
    el("table", { class: "fields" }, el("tbody", {}, (v.header || []).map(([field, value]) => el("tr", {}, el("th", { scope: "row" }, field), el("td", {}, value))))));
}

const deeds = [
  ["purge", "Purge", "/api/purge", (url) => ({ urls: [url], soft: false }), (a) => `${entries(a)} gone.`],
  ["purge", "Soft purge", "/api/purge", (url) => ({ urls: [url], soft: true }), (a) => `${entries(a)} stale from now on.`],
  ["refresh", "Refresh", "/api/refresh", (url) => ({ urls: [url] }), refreshed],
  ["explain", "Explain", "/api/explain", (url) => ({ url }), (a) => a.answers.map((answer) => [trace(answer), advice(answer)])],
];

const entries = (a) => `${count(a.purged)} ${a.purged === 1 ? "entry is" : "entries are"}`;

// refreshed tells of an answer in lines, the last of which says that it is whole.
function refreshed(lines) {
  return lines.filter((l) => !l.done).flatMap((l) => (l.error ? [{ error: l.error }] : l.variants)).map((v) => el("p", {},
    v.error ? `Failed: ${v.error}` : v.stored ? `Stored anew: status ${v.status}, ${bytes(v.bytes)}.` : `Not stored: status ${v.status}, ${v.reason}.`));
}

function buttons(o, said, box) {
  return el("div", { class: "deeds" }, deeds.filter(([offer]) => offers.includes(offer)).map(([, name, path, body, tell]) =>
    el("button", { type: "button", click: async (e) => {
      e.target.disabled = true;
      try {
        put(said, tell(await post(path, body(o.url))));
        await showVariants(o, box);
        renew();
      } catch (error) {
        put(said, error.message);
      }
      said.hidden = false;
      e.target.disabled = false;
    } }, name)));
}
