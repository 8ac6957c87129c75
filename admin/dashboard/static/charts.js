// The charts. Series come as columns; see /api/series.

/* global uPlot */
import { el, byId } from "./dom.js";
import { bare, bytes, millis, percent, rate } from "./format.js";
import { actions } from "./tiles.js";

const spans = { "5m": 300, "1h": 3600, "24h": 86400, "30d": 30 * 86400 };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const last = (values) => values[values.length - 1];

// evictions per second, from how many there were at all.
const perSecond = (values, step) => values.map((v, i) => (i === 0 || v === null ? null : Math.max(v - values[i - 1], 0) / step));

const parts = [["hit", "serve"], ["miss", "fetch"], ["origin", "validate"]];

// Marks of an axis in bytes stand at 512 KiB and 1 MiB, not at 1,000,000.
const powersOf2 = Array.from({ length: 50 }, (_, i) => 2 ** i);

// A chart either stacks columns, each in its colour, or draws lines of
// [label, column, colour, dashed, scale].
const kinds = [
  { id: "actions", title: "Requests/s by action", write: rate, stack: actions, colours: actions },
  { id: "ratio", title: "Hit ratio", write: (v) => percent(v), range: [0, 1],
    lines: [["requests", "hit_ratio", "serve"], ["bytes", "byte_hit_ratio", "fetch"]] },
  { id: "latency", title: "Latency: median, and 99th percentile dashed", write: millis, log: true,
    lines: [...parts.map(([name, tint]) => [name, `${name}_p50`, tint]), ...parts.map(([name, tint]) => [`${name} p99`, `${name}_p99`, tint, true])] },
  { id: "classes", title: "Answers/s by status", write: rate, stack: ["2xx", "3xx", "4xx", "5xx", "1xx", "other"],
    colours: ["serve", "validate", "serve-stale", "fail", "fetch", "pass"] },
  { id: "bytes", title: "Bytes/s of content", write: bytes, marks: powersOf2, stack: ["bytes_cache", "bytes_origin"], colours: ["serve", "fetch"],
    names: ["from the store", "from origins"] },
  { id: "store", title: "Store, and evictions/s", write: bytes, marks: powersOf2,
    lines: [["stored", "store_bytes", "fetch"], ["limit", "store_limit", "pass", true], ["evictions/s", "evictions", "serve-stale", false, "right"]] },
];

let columns = {}, step = 1, span = "5m", drawn = [];

// load shows a series.
export function load(series, name) {
  columns = series.columns;
  step = series.step_s;
  span = name;
  redraw();
}

// push appends a point to a series of seconds.
export function push(point) {
  if (span !== "5m" || !columns.time || !point.time || last(columns.time) >= point.time) return;
  for (const [name, values] of Object.entries(columns)) {
    values.push(point[name]);
    if (values.length > 300) values.shift();
  }
  for (const d of drawn) d.plot.setData(data(d.kind));
}

// data is what a chart draws; of stacked series, each on top of those before it.
function data(kind) {
  const time = columns.time || [];
  if (kind.stack) {
    const sums = time.map(() => 0);
    const layers = kind.stack.map((name) => columns[name].map((v, i) => (sums[i] += v)));
    return [time, ...layers.reverse()];
  }
  const read = (name) => (name === "evictions" ? perSecond(columns.store_evicted, step) : columns[name]);
  return [time, ...kind.lines.map(([, name]) => read(name))];
}

function series(kind) {
  if (kind.stack) {
    return kind.stack.map((name, i) => ({
      label: kind.names?.[i] || name, stroke: colour(kind.colours[i]), fill: colour(kind.colours[i]), width: 1, points: { show: false },
      value: (u, v, si, at) => (at === null ? kind.write(last(columns[name])) : kind.write(columns[name][at])),
    })).reverse();
  }
  return kind.lines.map(([label, , tint, dashed, scale]) => ({
    label, stroke: colour(tint), width: dashed ? 1.25 : 1.75, dash: dashed ? [4, 4] : undefined, points: { show: false },
    scale: scale || "y",
    value: (u, v, si, at) => { const shown = at === null ? last(u.data[si]) : v; return scale ? rate(shown) : kind.write(shown); },
  }));
}

// range is where a chart begins: at the start of the span, or of the proxy, but
// a minute is shown at least.
function range() {
  const times = columns.time || [], end = last(times) || Date.now() / 1000;
  const least = Math.max(60, 10 * step);
  return [Math.max(end - spans[span], Math.min(times[0] || end, end - least)), end];
}

const powers = (u, axis, low, high) => {
  const all = [];
  for (let p = Math.floor(Math.log10(low)); 10 ** p <= high; p++) all.push(10 ** p);
  return all;
};

function options(kind, width) {
  const grid = { stroke: colour("line"), width: 1 }, font = "12px system-ui, sans-serif";
  const axis = { stroke: colour("muted"), grid, ticks: { show: false }, font };
  const lines = series(kind);
  const y = { ...axis, size: 66, space: 32, ...(kind.marks && { incrs: kind.marks }), values: (u, all) => all.map((v) => (v === null ? "" : bare(kind.write(v)))) };
  return {
    width, height: 180, padding: [8, 22, 0, 0], cursor: { y: false, points: { size: 6 } },
    legend: { live: true, markers: {
      width: (u, i) => (lines[i - 1].dash ? 2 : 0), dash: "solid", stroke: (u, i) => lines[i - 1].stroke,
      fill: (u, i) => (lines[i - 1].dash ? "" : lines[i - 1].stroke),
    } },
    scales: {
      x: { range },
      y: kind.log ? { distr: 3, range: (u, low, high) => (low > 0 ? [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high) + 0.01)] : [0.01, 1000]) }
        : { range: kind.range || ((u, low, high) => [0, high > 0 ? high * 1.08 : 1]) },
      right: { range: (u, low, high) => [0, high > 0 ? high * 1.3 : 1] },
    },
    axes: [{ ...axis, space: 70, size: 28, values: (u, all) => all.map(time) }, kind.log ? { ...y, splits: powers } : y],
    series: [{ class: "time" }, ...lines],
  };
}

const pad = (n) => String(n).padStart(2, "0");

// time is as fine as the span asks for.
function time(v) {
  const t = new Date(v * 1000), minutes = `${pad(t.getHours())}:${pad(t.getMinutes())}`;
  if (span === "30d") return `${t.getMonth() + 1}/${t.getDate()}`;
  return span === "5m" ? `${minutes}:${pad(t.getSeconds())}` : minutes;
}

// redraw makes all charts anew, for other colours or another series.
export function redraw() {
  if (!columns.time) return;
  for (const d of drawn) d.plot.destroy();
  drawn = kinds.map((kind) => {
    const box = byId(`chart-${kind.id}`), plot = new uPlot(options(kind, box.clientWidth), data(kind), box);
    if (kind.stack) { // layers are drawn from the top down, and named from the bottom up
      const names = plot.root.querySelector(".u-legend tbody");
      names.append(...[...names.children].reverse());
    }
    return { kind, box, plot };
  });
}

export function makeCharts() {
  for (const kind of kinds) {
    byId("charts").append(el("figure", { class: "card" }, el("figcaption", {}, kind.title), el("div", { class: `chart${kind.stack ? " stacked" : ""}${(kind.stack || kind.lines).length > 3 ? " many" : ""}`, id: `chart-${kind.id}` })));
  }
  new ResizeObserver(() => {
    for (const d of drawn) d.plot.setSize({ width: d.box.clientWidth, height: 180 });
  }).observe(byId("charts"));
  document.addEventListener("theme", redraw);
}
