// Forms that are answered by a passkey: the browser and the authenticator talk to each other, the answer goes into the form.

import { fromBase64, toBase64 } from "./dsse.js";
import { say } from "./words.js";

for (const notice of document.querySelectorAll("[data-without-script]")) notice.hidden = true;

const descriptors = (ids) => ids.map((id) => ({ type: "public-key", id: fromBase64(id) }));

async function make(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: fromBase64(options.challenge),
      rp: { id: options.rp_id, name: options.rp_name },
      user: { id: fromBase64(options.user_id), name: options.user_name, displayName: options.user_name },
      pubKeyCredParams: options.algorithms.map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: descriptors(options.exclude),
      authenticatorSelection: { residentKey: options.discoverable ? "required" : "preferred", requireResidentKey: options.discoverable, userVerification: "required" },
      attestation: "none",
    },
  });
  return { client_data: toBase64(credential.response.clientDataJSON), attestation: toBase64(credential.response.attestationObject) };
}

async function ask(options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: fromBase64(options.challenge),
      rpId: options.rp_id,
      allowCredentials: descriptors(options.allow),
      userVerification: "required",
    },
  });
  const { clientDataJSON, authenticatorData, signature } = credential.response;
  return { credential_id: toBase64(credential.rawId), client_data: toBase64(clientDataJSON), authenticator_data: toBase64(authenticatorData), signature: toBase64(signature) };
}

function inWords(problem) {
  if (problem.name === "NotAllowedError") return say("No passkey was shown: it was cancelled, took too long, or this device has none for this service.");
  if (problem.name === "InvalidStateError") return say("This authenticator holds a passkey of yours already.");
  if (problem.name === "SecurityError") return say("The browser uses no passkeys at this address. It needs https and the service's own name.");
  if (problem.name === "NotSupportedError") return say("This authenticator makes none of the kinds of key that are needed here.");
  return problem.message;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const errorLine = form.querySelector("[data-passkey-error]");
  const button = form.querySelector("[type=submit]");
  if (!window.PublicKeyCredential) {
    errorLine.hidden = false;
    errorLine.textContent = say("This browser uses no passkeys at this address.");
    continue;
  }
  button.disabled = false;
  form.addEventListener(
    "submit",
    async (event) => {
      if (form.elements.answer.value) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (form.dataset.busy) return;
      if (!form.reportValidity()) return;
      form.dataset.busy = "yes";
      errorLine.hidden = true;
      try {
        const options = JSON.parse(form.dataset.options);
        form.elements.answer.value = JSON.stringify(await (form.dataset.passkey === "make" ? make(options) : ask(options)));
        // Later, not now: while the first submission is still being told about, a second one is silently dropped.
        setTimeout(() => form.requestSubmit(event.submitter), 0);
      } catch (problem) {
        errorLine.hidden = false;
        errorLine.textContent = inWords(problem);
      } finally {
        delete form.dataset.busy;
      }
    },
    { capture: true },
  );
  form.dataset.ready = "yes";
}

addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[data-passkey] input[name=answer]")) field.value = "";
});
