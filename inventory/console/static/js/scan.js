// Reads labels with the camera where the browser knows how (BarcodeDetector). Without it, and without this file, codes are typed.

const box = document.querySelector("[data-camera]");
const field = document.querySelector("#f-codes");
const PAUSE_MS = 150;
const AGAIN_MS = 3000;

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

async function reader() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return null;
  const formats = (await window.BarcodeDetector.getSupportedFormats()).filter((name) => name !== "unknown");
  return formats.length ? new window.BarcodeDetector({ formats }) : null;
}

function begin(detector) {
  const [start, stop] = [box.querySelector("[data-camera-start]"), box.querySelector("[data-camera-stop]")];
  const [picture, status] = [box.querySelector("[data-camera-picture]"), box.querySelector("[data-camera-status]")];
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

  async function look() {
    if (!stream) return;
    try {
      for (const found of await detector.detect(picture)) {
        const code = plain(found.rawValue);
        const now = Date.now();
        if (code && now - (last.get(code) ?? 0) > AGAIN_MS) status.textContent = add(code) ? `Read: ${code}` : `Read before: ${code}`;
        if (code) last.set(code, now);
      }
    } catch {
      // the picture is not there yet
    }
    setTimeout(look, PAUSE_MS);
  }

  start.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      picture.srcObject = stream;
      show(true);
      await picture.play();
      status.textContent = "Hold a label before the camera.";
      look();
    } catch (error) {
      end();
      status.textContent = `The camera cannot be used (${error.name}). Type the codes instead.`;
    }
  });
  stop.addEventListener("click", end);
  addEventListener("pagehide", end);
  box.hidden = false;
}

const detector = box && field ? await reader() : null;
if (detector) begin(detector);
