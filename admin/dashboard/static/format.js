// Writes numbers with their units. What is not known is a dash.

const dash = "–";
const known = (v) => v !== null && v !== undefined && Number.isFinite(v);

// digits keeps about three of them.
const digits = (v) => (Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2));

export function count(v) {
  if (!known(v)) return dash;
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e4]]) {
    if (Math.abs(v) >= size) return `${digits(v / (unit === "k" ? 1e3 : size))} ${unit}`;
  }
  return Math.round(v).toLocaleString("en");
}

export const rate = (v) => (!known(v) ? dash : v >= 1e4 ? count(v) : v === 0 || v >= 100 ? v.toFixed(0) : v >= 1 ? v.toFixed(1) : v.toPrecision(2));

// bare leaves zeros away that tell nothing, as an axis has them: 1.00 s is 1 s.
export const bare = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

const minus = (text) => text.replace("-", "−");

export function percent(share, places = 1) {
  if (!known(share)) return dash;
  // 99.97 % must not read 100.0 %, nor 0.02 % read 0.0 %.
  const v = 100 * share, limit = 10 ** -places / 2;
  const fine = v > 0 && v < limit || v < 100 && v > 100 - limit;
  return `${minus(v.toFixed(fine ? places + 2 : places))} %`;
}

export function bytes(v) {
  if (!known(v)) return dash;
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (v >= size) return `${digits(v / size)} ${unit}`;
  }
  return `${Math.round(v)} B`;
}

export function millis(v) {
  if (!known(v)) return dash;
  if (v >= 60000) return seconds(v / 1000);
  if (v >= 1000) return `${digits(v / 1000)} s`;
  return v >= 1 ? `${digits(v)} ms` : `${Math.round(v * 1000)} µs`;
}

export function seconds(v) {
  if (!known(v)) return dash;
  const s = Math.abs(v), sign = v < 0 ? "−" : "";
  if (s < 60) return `${sign}${s < 10 ? Math.floor(10 * s) / 10 : Math.floor(s)} s`;
  if (s < 3600) return `${sign}${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 86400) return `${sign}${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${sign}${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

const pad = (n, w = 2) => String(n).padStart(w, "0");

export function clock(text, fine = false) {
  const t = new Date(text);
  const s = `${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;
  return fine ? `${s}.${pad(t.getMilliseconds(), 3)}` : s;
}

// moment is a time with its day, unless that is today.
export function moment(text) {
  const t = new Date(text);
  return t.toDateString() === new Date().toDateString() ? clock(text) : `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${clock(text)}`;
}
