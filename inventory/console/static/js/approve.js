// Signing pages (approve an order, sign a roster, sign facts). What is signed is computed here, from the bytes the page was given and the
// person's own key; the service checks it, and every agent checks it again.

import { fromBase64, sha256Hex, signPayload, statementBytes } from "./dsse.js";
import { find, fromFile } from "./keystore.js";
import { say } from "./words.js";

for (const notice of document.querySelectorAll("[data-without-script]")) notice.hidden = true;

const form = document.querySelector("form[data-sign]");
const material = JSON.parse(document.getElementById("to-sign").textContent);
const fileField = form.querySelector("[data-key-file]");
const browserChoice = form.querySelector("[data-key-browser]");
const fileChoice = form.querySelector("[data-key-file-choice]");
const errorLine = form.querySelector("[data-sign-error]");
const passkeyChoice = form.querySelector("[data-key-passkey]");
const passkeys = window.PublicKeyCredential ? (material.passkeys ?? []).filter((one) => material.keys.includes(one.key_id)) : [];
let browserKey = null;

function fail(message) {
  errorLine.hidden = false;
  errorLine.textContent = message;
  delete form.dataset.sent;
  for (const button of form.querySelectorAll(".is-working")) button.classList.remove("is-working");
  errorLine.scrollIntoView({ block: "center" });
}

/** The digest shown is worked out again from the sealed bytes: a page that shows one thing and signs another is caught here. */
async function recompute() {
  const line = document.querySelector("[data-recomputed]");
  const stated = material.body ? material.body.order_sha256 || material.body.sha256 : material.sha256;
  const found = await sha256Hex(fromBase64(material.payload));
  line.hidden = false;
  line.textContent = found === stated ? say("Worked out again in this browser from the sealed bytes: it is the same.") : say("The sealed bytes have another digest. Do not sign.");
  line.classList.add(found === stated ? "text-ok" : "text-bad");
  if (found !== stated) form.querySelector("[type=submit]").disabled = true;
}

async function lookForKey() {
  const hint = form.querySelector("[data-key-browser-hint]");
  if (!crypto.subtle) {
    hint.textContent = say("This page is not on a secure connection, so the browser keeps no keys for it.");
    return;
  }
  for (const keyId of material.keys) {
    browserKey = await find(keyId);
    if (browserKey) break;
  }
  if (passkeys.length) {
    passkeyChoice.disabled = false;
    passkeyChoice.checked = true;
    form.querySelector("[data-key-passkey-hint]").textContent = say("Your authenticator asks for your PIN, finger or face.");
  }
  if (browserKey) {
    browserChoice.disabled = false;
    browserChoice.checked = !passkeys.length;
    hint.textContent = browserKey.keyId.match(/.{4}/g).slice(0, 4).join(" ") + " …";
  } else {
    hint.textContent = say("This browser holds none of your keys that count here.");
    fileChoice.checked = !passkeys.length;
    fileField.hidden = !fileChoice.checked;
  }
}

async function chosenKey() {
  if (passkeyChoice.checked && passkeys.length) return { keyId: passkeys[0].key_id, passkey: passkeys[0] };
  if (browserChoice.checked && browserKey) return browserKey;
  const [file] = fileField.files;
  if (!file) throw new Error(say("Choose your key file first."));
  const key = await fromFile(file);
  if (!material.keys.includes(key.keyId)) throw new Error(say("That key is not one of yours that count here."));
  return key;
}

function payloadBytes() {
  if (!material.body) return fromBase64(material.payload);
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  return statementBytes({ ...material.body, time });
}

form.addEventListener("change", () => {
  fileField.hidden = !fileChoice.checked;
});

// Before the guard of ui.js marks the form as sent: the signature is not there yet.
form.addEventListener(
  "submit",
  async (event) => {
    if (form.dataset.signed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.busy) return;
    const compared = form.elements.compared;
    if (compared && !compared.checked) {
      fail(say("Tick that you have read the order and compared the fingerprint."));
      compared.focus();
      return;
    }
    form.dataset.busy = "yes";
    errorLine.hidden = true;
    try {
      const envelope = await signPayload(form.dataset.sign, payloadBytes(), await chosenKey());
      form.elements.envelope.value = JSON.stringify(envelope);
      form.dataset.signed = "yes";
      // Later, not now: while the first submission is still being told about, a second one is silently dropped.
      setTimeout(() => form.requestSubmit(event.submitter), 0);
    } catch (problem) {
      fail(problem.name === "NotAllowedError" ? say("No passkey was shown: it was cancelled, took too long, or is not on this device.") : problem.message);
    } finally {
      delete form.dataset.busy;
    }
  },
  { capture: true },
);

addEventListener("pageshow", () => delete form.dataset.signed);

await lookForKey();
await recompute();
form.dataset.ready = "yes";
