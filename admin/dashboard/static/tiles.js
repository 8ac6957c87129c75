// The figures at the top.

import { el, byId } from "./dom.js";
import { bytes, count, percent, rate, seconds } from "./format.js";

const names = { "5m": "in 5 min", "1h": "in 1 h", "24h": "in 24 h", "30d": "since the start" };
const windows = { "5m": "5m", "1h": "1h", "24h": "24h", "30d": "total" };

// Each tile is a name, a value, what stands below it, and whether that is bad.
const tiles = [
  ["hit-ratio", "Hit ratio", (o, w) => [percent(w.hit_ratio), "of requests"]],
  ["byte-ratio", "Byte hit ratio", (o, w) => [percent(w.byte_hit_ratio), `${bytes(w.bytes_cache)} saved`]],
  ["rate", "Requests/s", (o, w, span) => [rate(requestsPerSecond(o)), `${count(w.requests)} ${names[span]}`]],
  ["saved", "Saved requests", (o, w) => [count(w.saved_requests), `${count(w.origin_requests)} to origins`]],
  ["saved-time", "Origin time saved", (o, w) => [seconds(w.saved_origin_s), "estimate"]],
  ["errors", "5xx", (o, w) => {
    const r = w.requests ? w.classes["5xx"] / w.requests : null;
    const bad = r !== null && r >= o.levels.server_errors.target;
    return [percent(r, 2), `${bad ? "above" : "below"} ${percent(o.levels.server_errors.target)}: ${count(w.classes["5xx"])}`, bad];
  }],
  ["client-errors", "4xx", (o, w) => {
    const s = o.levels.client_errors;
    return [percent(w.requests ? w.classes["4xx"] / w.requests : null, 2), s.spike ? `spike: usual ${percent(s.usual)}` : `${count(w.classes["4xx"])} requests`, s.spike];
  }],
  ["availability", "Availability", (o) => {
    const c = o.levels.client;
    return [percent(c.availability, 2), `${percent(c.budget_left, 0)} budget left`, c.budget_left < 0 || c.alert !== ""];
  }],
];

export const actions = ["serve", "serve-stale", "validate", "fetch", "pass", "fail"];

const requestsPerSecond = (o) => (o.now.time ? actions.reduce((sum, a) => sum + o.now[a], 0) : null);

const shown = new Map();

export function makeTiles() {
  for (const [id, name] of tiles) {
    const value = el("dd", { class: "value", id: `tile-${id}` }, "–"), below = el("dd", { class: "below" }, " ");
    const tile = el("div", { class: "tile" }, el("dt", {}, name), value, below);
    shown.set(id, { tile, value, below });
    byId("tiles").append(tile);
  }
}

export function showTiles(overview, span) {
  for (const [id, , read] of tiles) {
    const { tile, value, below } = shown.get(id);
    const [text, under, bad] = read(overview, overview.windows[windows[span]], span);
    value.textContent = text;
    below.textContent = under;
    tile.classList.toggle("bad", Boolean(bad));
  }
}
