// The steps of a decision.

import { el } from "./dom.js";

// trace tells the steps that are there, or whatever else there is, as it is.
export function trace(t) {
  if (!t) return null;
  if (!Array.isArray(t.steps)) return el("pre", { tabindex: "0" }, JSON.stringify(t, null, 2));
  return el("ol", { class: "trace", "aria-label": "Trace" }, t.steps.map((s) => el("li", {},
    el("b", {}, s.stage), " ", s.sentence)));
}

// advice tells what to change to get another result.
export function advice(a) {
  if (!a.advice?.length) return null;
  return [el("h4", {}, "To get another result"), el("ul", { class: "advice" }, a.advice.map((text) => el("li", {}, text)))];
}
