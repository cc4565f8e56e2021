// Small conveniences. Every page works without this file; nothing here decides or hides anything.

import { say } from "./words.js";

const root = document.documentElement;

/** Theme: the server's form does the same by a round trip; here it happens at once and is remembered by the same cookie. */
function themeToggle(button) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const next = dark ? "light" : "dark";
    root.dataset.theme = next;
    document.cookie = `theme=${next};path=/;max-age=31536000;samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
    button.querySelector("span").textContent = next === "dark" ? say("Light theme") : say("Dark theme");
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, next === "dark" ? "#sun" : "#moon"));
  });
}

/** Copy buttons show themselves only where the clipboard works. */
function copyButton(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("is-done");
    const label = button.getAttribute("aria-label");
    button.setAttribute("aria-label", say("Copied"));
    setTimeout(() => {
      button.classList.remove("is-done");
      button.setAttribute("aria-label", label);
    }, 1600);
  });
}

/** Without a connection nothing is sent: the browser's own error page would take the words along. */
function stay(form) {
  const line = form.querySelector("[data-offline]") ?? form.appendChild(document.createElement("p"));
  line.dataset.offline = "";
  line.className = "field-error";
  line.setAttribute("role", "alert");
  line.textContent = say("You are offline: nothing was sent. What you wrote stays here; send it once you are connected again.");
  addEventListener("online", () => line.remove(), { once: true });
}

/** A form is sent once. The service refuses a second send anyway; this only spares the reader that answer. */
function guardForm(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented) return;
    if (!navigator.onLine) {
      event.preventDefault();
      stay(form);
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (button) button.classList.add("is-working");
  });
}

// The back button shows a page as it was left: make its forms usable again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll(".is-working")) button.classList.remove("is-working");
});

/** "/" goes to the search box, as on every console. */
addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = document.querySelector("[data-search]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

/** Which groups of the navigation are open is remembered by a cookie that says nothing else, so that the next page comes as this one was left. */
function rememberGroups() {
  const groups = [...document.querySelectorAll("[data-nav]")];
  const open = groups.filter((group) => group.open).map((group) => group.dataset.nav);
  document.cookie = `nav=${open.join(".")};path=/console;max-age=31536000;samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
}

for (const title of document.querySelectorAll("[data-nav] > summary")) title.addEventListener("click", () => setTimeout(rememberGroups, 0));
for (const button of document.querySelectorAll("[data-theme-toggle]")) themeToggle(button);
for (const button of document.querySelectorAll("[data-copy]")) copyButton(button);
for (const form of document.querySelectorAll("form[data-guard]")) guardForm(form);
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const list of document.querySelectorAll("[data-auto-submit]")) list.addEventListener("change", () => list.form.requestSubmit());
document.querySelector("[data-first-focus]:not([data-no-focus] *)")?.focus();

// What was said once need not be said again when the page is loaded anew.
if (document.querySelector("[data-said]")) {
  const address = new URL(location.href);
  address.searchParams.delete("said");
  history.replaceState(history.state, "", address);
}
