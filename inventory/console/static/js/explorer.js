// The form of the API explorer: asks as a program would, and shows what came. Without this file, what only reads is asked by
// an ordinary form, and what changes something is not asked from here at all.

import { say } from "./words.js";

const form = document.querySelector("[data-try]");
const shown = document.querySelector("[data-answer]");
const changes = form.dataset.method !== "GET";
const mean = form.querySelector("[data-mean]");
const send = form.querySelector("[data-send]");
const token = form.querySelector("[data-token]");
const body = form.querySelector("[data-body]");
const file = form.querySelector("[data-file]");
const TELLING = ["Content-Type", "ETag", "Location", "Sanitrail-Next", "Retry-After", "Idempotency-Replayed", "Content-Disposition"];
const MOST_SHOWN = 200000;
const key = form.elements["header.Idempotency-Key"];
let saved = "";

/** Every value that was typed, by where it belongs. */
function given() {
  const found = { path: [], query: [], header: [] };
  for (const [name, value] of new FormData(form)) {
    const [where, ...rest] = name.split(".");
    if (found[where] && rest.length && value !== "") found[where].push([rest.join("."), value]);
  }
  return found;
}

/** The declared path with each of its places filled by one value: nothing typed leads elsewhere. */
function address(values) {
  const places = Object.fromEntries(values.path);
  const path = form.dataset.path.replace(/\{([a-z0-9_]+)\}/g, (_, name) => {
    const value = places[name] ?? "";
    const parts = name === "tile" ? value.split("/") : [value];
    if (parts.some((part) => ["", ".", ".."].includes(part))) throw new Error(say("Something that the address needs is missing."));
    return parts.map(encodeURIComponent).join("/");
  });
  const query = new URLSearchParams(values.query).toString();
  return query ? `${path}?${query}` : path;
}

function request() {
  const values = given();
  const headers = new Headers(values.header);
  const asked = { method: form.dataset.method, headers, cache: "no-store", redirect: "error" };
  const shownToken = token?.value.trim();
  asked.credentials = shownToken ? "omit" : "same-origin";
  if (shownToken) headers.set("Authorization", `Bearer ${shownToken}`);
  else if (changes) headers.set("X-CSRF-Token", form.elements.csrf_token.value);
  if (body) {
    JSON.parse(body.value);
    headers.set("Content-Type", "application/json");
    asked.body = body.value;
  } else if (file) {
    if (!file.files.length) throw new Error(say("Choose a file first."));
    headers.set("Content-Type", form.querySelector("[data-kind]").value);
    asked.body = file.files[0];
  }
  return [address(values), asked];
}

function tell(status, tone, text, headers = []) {
  const chip = shown.querySelector("[data-status]");
  chip.className = `chip chip-${tone}`;
  chip.textContent = status;
  const list = shown.querySelector("[data-headers]");
  list.replaceChildren();
  for (const [name, value] of headers) {
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    told.textContent = value;
    list.append(term, told);
  }
  const place = shown.querySelector("[data-text]");
  place.textContent = text;
  place.hidden = !text;
  shown.hidden = false;
}

/** JSON with its lines, other text as it came, anything else to be saved. */
async function read(answer) {
  const kind = answer.headers.get("Content-Type") ?? "";
  const content = await answer.blob();
  const link = shown.querySelector("[data-save]");
  URL.revokeObjectURL(saved);
  saved = content.size ? URL.createObjectURL(content) : "";
  link.hidden = !saved;
  link.href = saved;
  link.download = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? form.dataset.path.split("/").pop().replace(/\W+/g, "") + (kind.includes("json") ? ".json" : "");
  if (!/json|^text\//.test(kind)) return ["", null];
  const text = await content.text();
  if (text.length > MOST_SHOWN) return [say("The answer is long: save it to read all of it.") + "\n\n" + text.slice(0, MOST_SHOWN), null];
  try {
    const value = JSON.parse(text);
    return [JSON.stringify(value, null, 2), value];
  } catch {
    return [text, null];
  }
}

async function ask() {
  const [url, asked] = request();
  send.disabled = true;
  send.classList.add("is-working");
  try {
    const answer = await fetch(url, asked);
    const [text, value] = await read(answer);
    const headers = TELLING.filter((name) => answer.headers.has(name)).map((name) => [name, answer.headers.get(name)]);
    tell(`${answer.status} ${answer.statusText}`.trim(), answer.ok ? "ok" : "bad", text, headers);
    shown.querySelector("[data-confirm]").hidden = value?.code !== "confirmation-needed";
    if (answer.ok && key && !key.dataset.typed) key.value = crypto.randomUUID?.() ?? "";
  } finally {
    send.disabled = false;
    send.classList.remove("is-working");
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (send.disabled || (changes && !mean.checked)) return;
  shown.querySelector("[data-confirm]").hidden = true;
  shown.querySelector("[data-save]").hidden = true;
  try {
    await ask();
  } catch (problem) {
    const words =
      problem instanceof SyntaxError
        ? say("The body is no JSON: {problem}", { problem: problem.message })
        : problem instanceof TypeError
          ? say("No answer came. If this was to change something, look whether it did before you send it again.")
          : problem.message;
    tell(say("Not answered"), "bad", words);
  }
  if (mean) mean.checked = false; // each sending is meant by itself
  shown.focus({ preventScroll: true });
  shown.scrollIntoView({ block: "nearest" });
});

if (key) {
  key.addEventListener("input", () => (key.dataset.typed = "yes"));
  if (!key.value) key.value = crypto.randomUUID?.() ?? "";
}
for (const part of form.querySelectorAll("[data-scripted]")) part.hidden = false;
addEventListener("pagehide", () => {
  if (token) token.value = "";
});
