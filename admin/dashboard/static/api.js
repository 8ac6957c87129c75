// Talks to the proxy. The token is kept by the tab, and sent in a header field.

const kept = "cacheproxy-token";

export const token = {
  get() { return sessionStorage.getItem(kept) || ""; },
  set(value) { sessionStorage.setItem(kept, value); },
  forget() { sessionStorage.removeItem(kept); },
};

// Refused is an answer that is none: its status, and what the proxy said.
export class Refused extends Error {
  constructor(status, text) { super(text); this.status = status; }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
  const response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  if (response.ok) return response;
  const text = await response.text();
  let said = text.trim();
  try { said = JSON.parse(text).error || said; } catch { /* plain text */ }
  throw new Refused(response.status, said || `status ${response.status}`);
}

export async function get(path, query = {}) {
  const q = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== "" && v !== null && v !== undefined));
  return (await ask(q.size ? `${path}?${q}` : path)).json();
}

// post returns the answer, or all values of one that is in lines.
export async function post(path, body) {
  const response = await ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (response.headers.get("Content-Type") !== "application/x-ndjson") return response.json();
  return (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
}

// events calls fn for each event until the signal aborts or the stream ends.
// EventSource would do, but for the header field.
export async function events(path, signal, fn) {
  const response = await ask(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      if (part.startsWith("data: ")) fn(JSON.parse(part.slice(6)));
    }
  }
}
