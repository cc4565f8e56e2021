// Reads labels: with the camera where the browser knows how (BarcodeDetector), and with a scanner that types like a keyboard.
// What is read is looked up at once and shown; the field below keeps every code. Without this file, codes are typed and sent.

import { say } from "./words.js";

const box = document.querySelector("[data-camera]");
const field = document.querySelector("#f-codes");
const compared = document.querySelector("#f-with");
const said = document.querySelector("[data-camera-status]");
const list = document.querySelector("[data-read-list]");
const PAUSE_MS = 150;
const AGAIN_MS = 3000;
const SHOWN = 30;
const FORGET_MS = 1500; // so long a pause is the end of what somebody typed; a slow machine makes a scanner slow, too
const LEAST = 3;
const WHY = {
  NotAllowedError: say("This browser keeps the camera from this page. Allow it in the browser's settings for this address, or type the codes."),
  NotFoundError: say("No camera was found. Use a scanner, or type the codes."),
  NotReadableError: say("Another programme has the camera. Close it and try again, or type the codes."),
};
const PART = /^SANITRAIL:1:([0-9A-F]{16}):(\d+)\/(\d+):/;

/** Our labels hold an address with the number in it; the service understands both, people read the number. */
function plain(text) {
  try {
    const address = new URL(text);
    if (address.pathname === "/console/scan" && address.searchParams.get("code")) return address.searchParams.get("code");
  } catch {
    // no address: the text is the code
  }
  return text.replace(/\s+/g, " ").trim();
}

function add(code) {
  const known = field.value.split("\n").map((line) => line.trim());
  if (known.includes(code)) return false;
  field.value = [...known.filter(Boolean), code].join("\n") + "\n";
  return true;
}

/** One tone for what is known, another for what is not: whoever scans looks at the disk, not at the page. */
let audio = null;
function sound(good) {
  try {
    audio ??= new AudioContext();
    const tone = audio.createOscillator();
    tone.frequency.value = good ? 880 : 220;
    tone.connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + (good ? 0.08 : 0.35));
  } catch {
    // no sound: the line says it, too
  }
}

async function look(code) {
  const address = new URL("/console/scan/read", location.href);
  address.searchParams.set("code", code);
  if (compared?.value.trim()) address.searchParams.set("with", compared.value.trim());
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "manual", cache: "no-store" });
    if (answer.status !== 200) throw new Error(String(answer.status));
    const line = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-read]");
    list.prepend(line);
    while (list.children.length > SHOWN) list.lastElementChild.remove();
    list.closest("[data-read-card]").hidden = false;
    said.textContent = `${line.dataset.words}: ${code}`;
    sound(line.dataset.read === "ok");
  } catch {
    said.textContent = `${say("Kept, and not looked up yet: the service does not answer")}: ${code}`;
    sound(false);
  }
}

/** Codes of a bundle are many: how far one is, and which are missing. */
function tellParts(code) {
  const [, row, , of] = PART.exec(code);
  const read = new Set(field.value.split("\n").map((line) => PART.exec(line.trim())).filter((found) => found?.[1] === row).map((found) => Number(found[2])));
  const missing = Array.from({ length: Number(of) }, (_, index) => index + 1).filter((number) => !read.has(number));
  said.textContent = missing.length ? `${say("Parts still missing")}: ${missing.join(", ")}` : say("Every part was read. Hand it in.");
  sound(true);
}

function took(text) {
  const code = plain(text);
  if (!code) return;
  if (PART.test(code)) {
    add(code);
    tellParts(code);
    return;
  }
  if (add(code)) look(code);
  else said.textContent = `${say("Read before")}: ${code}`;
}

async function reader() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return null;
  const formats = (await window.BarcodeDetector.getSupportedFormats()).filter((name) => name !== "unknown");
  return formats.length ? new window.BarcodeDetector({ formats }) : null;
}

function begin(detector) {
  const [start, stop] = [box.querySelector("[data-camera-start]"), box.querySelector("[data-camera-stop]")];
  const picture = box.querySelector("[data-camera-picture]");
  const last = new Map();
  let stream = null;

  function show(running) {
    start.hidden = running;
    stop.hidden = picture.hidden = !running;
  }

  function end() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    show(false);
  }

  async function watch() {
    if (!stream) return;
    try {
      for (const found of await detector.detect(picture)) {
        const code = plain(found.rawValue);
        const now = Date.now();
        if (code && now - (last.get(code) ?? 0) > AGAIN_MS) took(code);
        if (code) last.set(code, now);
      }
    } catch {
      // the picture is not there yet
    }
    setTimeout(watch, PAUSE_MS);
  }

  start.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      picture.srcObject = stream;
      show(true);
      await picture.play();
      said.textContent = say("Hold a label before the camera.");
      watch();
    } catch (error) {
      end();
      said.textContent = WHY[error.name] ?? `${say("The camera cannot be used. Type the codes instead.")} (${error.name})`;
    }
  });
  stop.addEventListener("click", end);
  addEventListener("pagehide", end);
  box.hidden = false;
}

/** A scanner that is a keyboard: its letters go nowhere on this page but here; Enter or Tab is their end. In the field Enter does. */
function wedge() {
  let typed = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === field) {
      const line = field.value.slice(0, field.selectionStart).split("\n").pop();
      if (event.key === "Enter" && plain(line)) look(plain(line));
      return;
    }
    if (event.target.closest("input, select, textarea, button, a, summary, [contenteditable]")) return;
    if (event.timeStamp - last > FORGET_MS) typed = "";
    last = event.timeStamp;
    if (event.key.length === 1) {
      typed += event.key;
      if (typed.length > 1) event.preventDefault(); // its first letter may have been a shortcut, the rest is none
    } else if ((event.key === "Enter" || event.key === "Tab") && typed.length >= LEAST) {
      event.preventDefault();
      took(typed);
      typed = "";
    }
  });
}

if (field && list) {
  wedge();
  const detector = box ? await reader() : null;
  if (detector) begin(detector);
  else if (compared) said.textContent = say("This browser does not read codes by itself. The telephone's own camera opens our labels; a scanner and typing work here.");
}
