// The dialog that shows one thing.

import { byId, put } from "./dom.js";

export function openDetail(title, ...content) {
  byId("detail-title").textContent = title;
  put(byId("detail-body"), ...content);
  if (!byId("detail").open) byId("detail").showModal();
}

export function makeDetail() {
  byId("detail-close").addEventListener("click", () => byId("detail").close());
}
