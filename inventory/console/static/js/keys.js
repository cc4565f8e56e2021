// The page of one's own keys: make one in this browser, or register the public half of a key file.

import { all, fromFile, keep, makeKey } from "./keystore.js";
import { say } from "./words.js";

for (const notice of document.querySelectorAll("[data-without-script]")) notice.hidden = true;

const errorLine = document.querySelector("[data-key-error]");

function fail(message) {
  errorLine.hidden = false;
  errorLine.textContent = message;
}

async function marked() {
  const kept = new Set((await all()).map((key) => key.keyId));
  for (const row of document.querySelectorAll("[data-key-row]")) {
    row.querySelector("[data-key-here]").hidden = !kept.has(row.dataset.keyRow);
  }
}

function sending(form, produce) {
  form.addEventListener(
    "submit",
    async (event) => {
      if (form.elements.public_key.value) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (form.dataset.busy) return;
      form.dataset.busy = "yes";
      errorLine.hidden = true;
      try {
        form.elements.public_key.value = await produce();
        // Later, not now: while the first submission is still being told about, a second one is silently dropped.
        setTimeout(() => form.requestSubmit(event.submitter), 0);
      } catch (problem) {
        fail(problem.message);
      } finally {
        delete form.dataset.busy;
      }
    },
    { capture: true },
  );
}

addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("input[name=public_key]")) field.value = "";
});

if (!crypto.subtle) {
  fail(say("This page is not on a secure connection, so the browser makes no keys for it. Open the console by https, or on the server itself."));
} else {
  sending(document.querySelector("form[data-make-key]"), async () => {
    const key = await makeKey();
    // Kept before it is registered: a key that is registered but lost would only have to be revoked again.
    await keep(key, document.querySelector("form[data-make-key]").dataset.person);
    return key.spki;
  });
  const fileForm = document.querySelector("form[data-file-key]");
  sending(fileForm, async () => {
    const [file] = fileForm.querySelector("[data-key-file]").files;
    if (!file) throw new Error(say("Choose a key file first."));
    return (await fromFile(file)).spki;
  });
  await marked();
  document.querySelector("form[data-make-key]").dataset.ready = "yes";
}
