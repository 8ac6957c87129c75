// The page: asks for what there is, follows the events, and keeps the lists new.

import { byId, choice, put, el } from "./dom.js";
import { get, events, token, Refused } from "./api.js";
import { makeTiles, showTiles } from "./tiles.js";
import { makeCharts, load, push } from "./charts.js";
import { showLevels } from "./levels.js";
import { showFindings, showPurges, showTop, showUpstreams } from "./lists.js";
import { following, makeRequests, offerReasons, showRequests } from "./requests.js";
import { makeObjects, showObjects } from "./objects.js";
import { makeDetail } from "./detail.js";
import { bytes, count, percent, seconds } from "./format.js";

let span = "5m", by = "requests", offers = [], latest = null;

const offered = (name) => offers.includes(name);

// silence is how long a stream that has an event each second may say nothing, in milliseconds.
const silence = 10000;

// show draws what came; its problems are told where it would stand.
function show(overview) {
  latest = overview;
  showTiles(overview, span);
  showLevels(overview);
  offerReasons(overview);
  const { store_entries: entries, store_bytes: used, store_limit: limit } = overview.now;
  byId("store-fill").textContent = `${count(entries)} stored in ${bytes(used)}, ${percent(limit ? used / limit : null, 0)} of ${bytes(limit)}`;
}

function state(kind, text) {
  byId("state").dataset.state = kind;
  byId("state").textContent = text;
}

// told runs work whose answer stands in a box, where its failure is told too.
const told = (box, work) => async () => {
  try { await work(); } catch (error) {
    if (error instanceof Refused && error.status === 401) askToken();
    else put(byId(box), el("p", { class: "empty wrong" }, error.message));
  }
};

const lists = [
  { every: 5, run: told("top-table", () => showTop(by)) },
  { every: 2, run: told("requests-table", () => showRequests(offers)), when: following },
  { every: 5, run: told("upstreams", showUpstreams), when: () => offered("upstreams") },
  { every: 30, run: told("findings-table", showFindings), when: () => offered("findings") },
  { every: 5, run: told("purges-table", showPurges), when: () => offered("purges") },
];
const objects = told("objects-table", () => showObjects(offers));
const series = told("charts", async () => load(await get("/api/series", { span }), span));

let second = 0;

function everySecond() {
  second++;
  for (const l of lists) {
    if (second % l.every === 0 && (!l.when || l.when())) l.run();
  }
  if (span !== "5m" && second % 60 === 0) series();
}

// begin loads everything once.
async function begin() {
  const overview = await get("/api/overview");
  offers = overview.offers;
  byId("forget").hidden = token.get() === "";
  for (const e of document.querySelectorAll("[data-offer]")) e.hidden = !offered(e.dataset.offer);
  show(overview);
  byId("main").hidden = false;
  await series();
  for (const l of lists) {
    if (!l.when || l.when()) l.run();
  }
  if (offered("objects")) objects();
}

let stream = null, timer = 0;

// follow reads events for as long as the page is seen, and comes back when they end.
async function follow() {
  clearTimeout(timer);
  stream?.abort();
  const mine = stream = new AbortController();
  let wait = 2000, heard = Date.now();
  const watch = setInterval(() => {
    if (Date.now() - heard < silence) return;
    state("lost", "the proxy has gone silent; trying again");
    follow();
  }, 1000);
  try {
    await begin();
    state("live", "live");
    await events("/api/events", mine.signal, (overview) => {
      heard = Date.now();
      state("live", `up ${seconds(overview.uptime_s)}`);
      show(overview);
      push(overview.now);
      everySecond();
    });
    if (!mine.signal.aborted) state("lost", "the proxy ended the stream");
  } catch (error) {
    if (mine.signal.aborted) return;
    if (error instanceof Refused && error.status === 401) return askToken();
    state("lost", error instanceof Refused ? error.message : "the proxy does not answer; trying again");
    wait = error instanceof Refused ? 10000 : wait;
  } finally {
    clearInterval(watch);
  }
  if (!mine.signal.aborted) timer = setTimeout(follow, wait);
}

function askToken() {
  stream?.abort();
  state("lost", "needs the admin token");
  byId("token-wrong").textContent = token.get() ? "This token is not the right one." : "";
  if (!byId("token").open) byId("token").showModal();
}

byId("token-form").addEventListener("submit", () => {
  token.set(byId("token-form").elements.token.value.trim());
  byId("token-form").reset();
  follow();
});
byId("token").addEventListener("cancel", (e) => e.preventDefault());
byId("forget").addEventListener("click", () => {
  token.forget();
  byId("main").hidden = byId("forget").hidden = true;
  askToken();
});

choice(byId("span"), "span", (chosen) => { span = chosen; series(); if (latest) showTiles(latest, span); });
choice(byId("top-by"), "by", (chosen) => { by = chosen; lists[0].run(); });
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return follow();
  clearTimeout(timer);
  stream?.abort();
});

makeTiles();
makeCharts();
makeDetail();
makeRequests(lists[1].run);
makeObjects(objects);
follow();
