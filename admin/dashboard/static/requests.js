// Recent requests, and one of them in full.

import { el, byId, put, table, facts } from "./dom.js";
import { get, post, Refused } from "./api.js";
import { bytes, clock, millis, seconds } from "./format.js";
import { openDetail } from "./detail.js";
import { advice, trace } from "./trace.js";

const form = () => byId("requests-form");

// following is false while a dialog is open: rows must not change under who comes back to them.
export const following = () => form().elements.live.checked && !byId("detail").open;

let offers = [];

export async function showRequests(offered) {
  offers = offered;
  const f = form().elements;
  const { requests } = await get("/api/requests", { reason: f.reason.value, status: f.status.value, q: f.q.value.trim(), limit: 100 });
  const filtered = f.reason.value || f.status.value || f.q.value;
  // Who walks the rows with the keyboard stays where they are.
  const focused = document.activeElement?.dataset?.request;
  put(byId("requests-table"), table([
    { name: "Time", cell: (r) => el("button", { type: "button", class: "link", "data-request": r.id, click: () => showRequest(r) }, clock(r.time), el("span", { class: "wide" }, clock(r.time, true).slice(8))) },
    { name: "Method", kind: "wide", cell: (r) => r.method },
    { name: "URL", cell: (r) => el("span", { class: "url" }, r.host + r.uri) },
    { name: "Status", kind: "num", cell: (r) => el("span", { class: r.status >= 500 ? "tag bad" : "" }, String(r.status)) },
    { name: "Why", cell: (r) => [el("span", { class: `dot ${r.action}`, title: r.action }), r.refused || r.reason] },
    { name: "Bytes", kind: "num wide", cell: (r) => bytes(r.bytes) },
    { name: "Took", kind: "num wide", cell: (r) => millis(r.duration_ms) },
    { name: "Origin", kind: "num wide", cell: (r) => (r.origin_ms ? millis(r.origin_ms) : "–") },
    { name: "Server", kind: "wide", cell: (r) => r.target },
  ], requests, filtered ? "No recent request fits. Take a filter away, or wait for the next one." : "No requests yet. Send one to the proxy."));
  if (focused) byId("requests-table").querySelector(`[data-request="${CSS.escape(focused)}"]`)?.focus();
}

// detail is all that is known of a request, with its trace. Of one that has made room for
// others that is what the list said.
async function detail(listed) {
  try {
    return await get(`/api/requests/${encodeURIComponent(listed.id)}`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return listed;
    throw error;
  }
}

async function showRequest(listed) {
  const r = await detail(listed);
  openDetail(`${r.method} ${r.host}${r.uri}`,
    el("p", { class: "say" }, el("span", { class: `dot ${r.action}` }), el("b", {}, r.action), `: ${r.reason_text} `, el("small", {}, `(${r.reason}; ${r.reason_clause})`)),
    r.refused ? el("p", { class: "say" }, el("b", {}, "not stored"), `: ${r.refused_text} `, el("small", {}, `(${r.refused})`)) : null,
    facts([
      ["Time", new Date(r.time).toLocaleString("en")], ["Status", r.status], ["Origin's status", r.fwd_status], ["Origin failed with", r.error],
      ["Took", millis(r.duration_ms)], ["Origin took", r.origin_ms ? millis(r.origin_ms) : ""], ["Server", r.target],
      ["Sent", `${bytes(r.bytes)}, ${bytes(r.bytes_cache)} of it from the store`], ["Fresh for", r.ttl_s === null ? "" : seconds(r.ttl_s)],
      ["Stored", r.stored ? "yes" : ""], ["Collapsed", r.collapsed ? "yes: one fetch for many requests" : ""], ["Broke off", r.aborted ? "yes" : ""],
      ["Client", r.remote], ["Protocol", r.proto], ["Route", r.route], ["Key", r.key], ["Request ID", r.request_id],
    ]),
    r.trace ? [trace(r.trace), advice(r.trace)] : untraced(r));
}

// mostKey is how long a key may be to be the whole one: of long texts the end is cut.
const mostKey = 800;

// untraced offers to ask for the same again, now with a trace.
function untraced(r) {
  if (!offers.includes("explain") || !["GET", "HEAD"].includes(r.method) || !r.key || r.key.length > mostKey) return null;
  const said = el("div", { "aria-live": "polite" });
  const again = async (e) => {
    e.target.disabled = true;
    try {
      const { answers } = await post("/api/explain", { url: r.key, method: r.method });
      put(said, answers.map((a) => [el("h4", {}, `Asked again: ${a.action}, ${a.refused || a.reason}`), trace(a), advice(a)]));
    } catch (error) {
      put(said, el("p", { class: "wrong" }, error.message));
    }
    e.target.disabled = false;
  };
  return [el("p", { class: "deeds" }, el("button", { type: "button", click: again }, "Explain"),
    el("small", {}, "It came without Cacheproxy-Debug, so no trace was kept. Explain asks for its URL again, with one.")), said];
}

// offerReasons fills the choice of reasons with those that were seen.
export function offerReasons(o) {
  const select = form().elements.reason;
  const seen = [...new Set([...o.reasons, ...o.refused].map((r) => r.reason))].sort();
  if (seen.length + 1 === select.options.length) return;
  const chosen = select.value;
  put(select, el("option", { value: "" }, "any"), seen.map((r) => el("option", {}, r)));
  if (seen.includes(chosen)) select.value = chosen;
}

export function makeRequests(show) {
  form().addEventListener("submit", (e) => { e.preventDefault(); show(); });
  let due;
  form().addEventListener("input", () => { clearTimeout(due); due = setTimeout(show, 250); });
}
