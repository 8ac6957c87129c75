// Origins, top URLs, findings and purges: lists that are asked for now and then.

import { el, byId, put, table } from "./dom.js";
import { get } from "./api.js";
import { bytes, clock, count, millis, moment } from "./format.js";

export const short = (reasons) => reasons.slice(0, 3).map((r) => el("span", { class: "tag", title: r.text }, `${r.reason} ${count(r.count)}`));

export async function showUpstreams() {
  const { targets } = await get("/api/upstreams");
  put(byId("upstreams"), table([
    { name: "Origin", cell: (u) => u.upstream },
    { name: "Server", cell: (u) => u.url },
    { name: "State", cell: (u) => el("span", { class: u.up ? "tag good" : "tag bad" }, u.state) },
    { name: "In flight", kind: "num wide", cell: (u) => (u.limit ? `${count(u.in_flight)} of ${count(u.limit)}` : count(u.in_flight)) },
    { name: "Queued", kind: "num wide", cell: (u) => count(u.queued) },
    { name: "Requests", kind: "num", cell: (u) => count(u.requests) },
    { name: "Retries", kind: "num wide", cell: (u) => count(u.retries) },
    { name: "Ejections", kind: "num wide", cell: (u) => count(u.ejections) },
    { name: "Failures", kind: "wide", title: "by error type of RFC 9209", cell: (u) => failures(u) },
  ], targets, "No origin is configured. Give one with --origin URL."));
}

function failures(u) {
  const all = Object.entries(u.failures).sort((a, b) => b[1] - a[1]).map(([type, n]) => el("span", { class: "tag" }, `${type} ${count(n)}`));
  if (u.checks_failed) all.push(el("span", { class: "tag" }, `health check ${count(u.checks_failed)}`));
  return all.length ? all : "–";
}

// narrow is the kind of a figure's column: a phone shows requests, misses, and what is ranked by.
const narrow = (name, by) => (name === by ? "num" : "num wide");

export async function showTop(by) {
  const { urls, since } = await get("/api/top", { by, limit: 25 });
  byId("top-since").textContent = `since ${clock(since)}`;
  put(byId("top-table"), table([
    { name: "URL", cell: (u) => [el("span", { class: "url" }, u.url), el("span", { class: "small" }, short(u.reasons))] },
    { name: "Requests", kind: "num", cell: (u) => count(u.requests) },
    { name: "Misses", kind: "num", cell: (u) => count(u.misses) },
    { name: "Bytes", kind: narrow("bytes", by), cell: (u) => bytes(u.bytes) },
    { name: "Origin time", kind: narrow("origin_time", by), cell: (u) => (u.misses ? millis(u.origin_ms) : "–") },
    { name: "Why missed", kind: "wide", cell: (u) => (u.misses ? short(u.reasons) : "–") },
  ], urls, by === "requests" ? "No requests yet. Send one to the proxy." : "Nothing yet: the origin was not asked."));
}

export async function showFindings() {
  const { findings } = await get("/api/findings");
  put(byId("findings-table"), table([
    { name: "Finding", cell: (f) => [el("b", {}, f.rule), el("br"), f.text] },
    { name: "Example", kind: "wide", cell: (f) => el("span", { class: "url" }, f.example) },
    { name: "Route", kind: "wide", cell: (f) => f.route },
    { name: "Seen", kind: "num", cell: (f) => count(f.count) },
    { name: "Misses", kind: "num", cell: (f) => count(f.misses) },
  ], findings, "Nothing was found in the headers so far."));
}

export async function showPurges() {
  const { purges } = await get("/api/purges");
  put(byId("purges-table"), table([
    { name: "Time", cell: (p) => moment(p.time) },
    { name: "What", cell: (p) => el("span", { class: "url" }, p.what) },
    { name: "Kind", cell: (p) => (p.soft ? "soft" : "hard") },
    { name: "Who", kind: "wide", cell: (p) => p.by },
    { name: "Via", kind: "wide", cell: (p) => p.via },
    { name: "Entries", kind: "num", cell: (p) => (p.complete ? "" : "at least ") + count(p.entries) },
    { name: "Took", kind: "num wide", cell: (p) => millis(p.took_ns / 1e6) },
  ], purges, "Nothing was purged yet. An object's page has a button for it."));
}
