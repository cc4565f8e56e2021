// Drag and drop, and how far the upload is. The page works without this file: the form does the same by itself.

import { say } from "./words.js";

const form = document.querySelector("[data-verify]");
const drop = form.querySelector("[data-drop]");
const input = form.querySelector("input[type=file]");
const progress = form.querySelector("[data-progress]");

/** The service's own page with the answer takes the place of what is shown. */
function show(html, failed) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.getElementById("main");
  if (!fresh) {
    location.reload();
    return;
  }
  const shown = document.getElementById("result");
  const answer = page.getElementById("result");
  const problem = page.querySelector("[data-verify] [role=alert]");
  form.querySelector("[role=alert]")?.remove();
  if (answer) shown.replaceChildren(...answer.childNodes);
  else shown.replaceChildren(...(failed ? fresh.childNodes : []));
  if (problem) form.prepend(problem);
  (problem ?? shown).scrollIntoView({ block: "start" });
}

function fail(text) {
  const line = document.createElement("div");
  line.className = "callout callout-bad";
  line.setAttribute("role", "alert");
  line.textContent = text;
  document.getElementById("result").replaceChildren(line);
}

function send() {
  const request = new XMLHttpRequest();
  const bar = progress.querySelector("progress");
  const button = form.querySelector("button[type=submit]");
  const done = () => {
    progress.hidden = true;
    button.classList.remove("is-working");
    button.disabled = false;
  };
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (event) => {
    bar.value = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
    if (event.loaded === event.total) bar.removeAttribute("value");
  });
  request.addEventListener("load", () => {
    done();
    show(request.responseText, request.status >= 400);
  });
  request.addEventListener("error", () => {
    done();
    fail(say("The file could not be sent: the connection was lost. Nothing is said about the file."));
  });
  bar.value = 0;
  progress.hidden = false;
  button.classList.add("is-working");
  button.disabled = true;
  request.send(new FormData(form));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

drop.querySelector("[data-drop-hint]").hidden = false;
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("is-over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  send();
});
