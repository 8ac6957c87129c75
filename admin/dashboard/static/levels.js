// Service levels, and what the answers of the last hour were.

import { el, byId, put, bars, facts } from "./dom.js";
import { clock, count, percent } from "./format.js";

const groups = { serve: "serve", fetch: "fetch", pass: "pass", refuse: "serve-stale", fail: "fail" };
const statusColours = ["pass", "fetch", "serve", "validate", "serve-stale", "fail"];

export function showLevels(o) {
  const l = o.levels;
  byId("objective").textContent = `objective ${percent(l.objective)} of 30 days, or since the start`;
  side("client", "What clients saw", l.client, [
    ["5xx, last 5 min", `${percent(l.server_errors.ratio, 2)}, target below ${percent(l.server_errors.target)}`],
    ["4xx, last 5 min", percent(l.client_errors.ratio, 2)], ["4xx against the day before", l.client_errors.why]]);
  side("origin", "What origins answered", l.origin, [
    ["Failures hidden from clients", l.origin.failed ? `${count(l.hidden)} of ${count(l.origin.failed)}, ${percent(l.hidden / l.origin.failed)}` : count(l.hidden)]]);
  for (const e of document.querySelectorAll(".since")) e.textContent = `since ${clock(o.since)}`;
  const reason = (r) => ({ name: r.reason, n: r.count, title: r.text, colour: groups[r.group] });
  bars(byId("reasons"), o.reasons.slice(0, 6).map(reason), "No requests yet. Send one to the proxy, and its reason stands here.");
  bars(byId("refused"), o.refused.slice(0, 6).map(reason), o.reasons.length ? "All that was fetched was stored." : "Nothing was fetched yet.");
  bars(byId("statuses"), o.statuses.slice(0, 9).map((s) => ({
    name: s.status || "none", n: s.count, title: s.status === 499 ? "the client left before its answer" : "",
    colour: s.status === 499 ? "pass" : statusColours[Math.floor(s.status / 100)] || "pass",
  })), "No answers yet.");
}

function side(name, title, s, more) {
  const fill = el("i", { class: s.budget_left < 0.25 ? "fail" : "serve" });
  fill.style.width = `${100 * Math.min(Math.max(s.budget_left, 0), 1)}%`;
  const alert = { page: "page: the budget burns fast", ticket: "ticket: the budget burns", "": "within the budget" }[s.alert];
  put(byId(`side-${name}`),
    el("h3", {}, title, " ", el("span", { class: s.alert ? "tag bad" : "tag good" }, s.requests ? alert : "no requests yet")),
    el("p", { class: "big" }, percent(s.availability, 3), el("small", {}, ` ${count(s.failed)} of ${count(s.requests)} failed`)),
    el("p", { class: "meter" }, el("span", {}, "Error budget left"), el("span", { class: "line" }, fill), el("b", { class: s.budget_left < 0 ? "wrong" : "" }, percent(s.budget_left, 0))),
    el("table", { class: "burn" },
      el("thead", {}, el("tr", {}, el("th", { scope: "row" }, "Window"), s.burn.map((b) => el("th", { scope: "col", class: "num" }, b.window)))),
      el("tbody", {}, el("tr", {}, el("th", { scope: "row", title: "at 1 the budget of 30 days lasts 30 days" }, "Burn rate"),
        s.burn.map((b) => el("td", { class: "num" }, b.rate === null ? "–" : b.rate >= 100 ? b.rate.toFixed(0) : b.rate.toFixed(1)))))),
    more.length ? facts(more) : null);
}
