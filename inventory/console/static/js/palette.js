// The palette: search and every page of the navigation from the keyboard. Without this file the search box is a plain form.

import { say } from "./words.js";

const box = document.querySelector("[data-search]");
const address = box?.form?.dataset.hits;

/** One line that leads somewhere. */
function line(link) {
  const item = document.createElement("li");
  const copy = document.createElement("a");
  copy.className = "menu-item";
  copy.href = link.href;
  copy.textContent = link.querySelector("span")?.textContent ?? link.textContent;
  item.append(copy);
  return item;
}

/** The shape of the hits while they are looked for. */
function waiting() {
  const shape = document.createElement("div");
  shape.className = "skeleton";
  shape.setAttribute("role", "status");
  shape.setAttribute("aria-label", say("Searching"));
  for (let each = 0; each < 3; each++) {
    const bar = document.createElement("span");
    bar.className = "skeleton-line";
    bar.setAttribute("aria-hidden", "true");
    shape.append(bar);
  }
  return shape;
}

/** What is said where no answer came. */
function silence() {
  const text = document.createElement("p");
  text.className = "hint hits-none";
  text.textContent = say("No answer came. Press Enter to search on a page.");
  return text;
}

function build() {
  const dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.setAttribute("aria-label", box.getAttribute("aria-label"));
  const input = document.createElement("input");
  input.type = "search";
  input.className = "input";
  input.maxLength = 128;
  input.autocomplete = "off";
  input.spellcheck = false;
  input.placeholder = box.placeholder;
  input.setAttribute("aria-label", box.getAttribute("aria-label"));
  const pages = document.createElement("ul");
  const hits = document.createElement("div");
  hits.setAttribute("aria-live", "polite");
  dialog.append(input, pages, hits);
  document.body.append(dialog);
  const links = [...document.querySelectorAll(".sidebar .nav-link")];
  let asked = 0;
  let timer = 0;

  const showPages = () => {
    const words = input.value.trim().toLowerCase();
    const fitting = links.filter((link) => words && link.textContent.toLowerCase().includes(words));
    pages.replaceChildren(...fitting.slice(0, 6).map(line));
  };
  const look = async () => {
    const number = ++asked;
    const text = input.value.trim();
    if (!text) return hits.replaceChildren();
    const slow = setTimeout(() => number === asked && !hits.contains(document.activeElement) && hits.replaceChildren(waiting()), 250);
    let found = null;
    try {
      const answer = await fetch(`${address}?q=${encodeURIComponent(text)}`, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".hits");
    } catch {
      // no connection: said below
    } finally {
      clearTimeout(slow);
    }
    if (number !== asked) return;
    if (!found) return hits.replaceChildren(silence());
    const focused = hits.contains(document.activeElement) ? document.activeElement.href : "";
    hits.replaceChildren(document.adoptNode(found));
    if (focused) ([...hits.querySelectorAll("a")].find((link) => link.href === focused) ?? input).focus();
  };
  input.addEventListener("input", () => {
    showPages();
    clearTimeout(timer);
    timer = setTimeout(look, 140);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault(); // a search field would only empty itself
      dialog.close();
      return;
    }
    const lines = [...dialog.querySelectorAll("a.menu-item")];
    const at = lines.indexOf(document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      (next < 0 ? input : lines[Math.min(next, lines.length - 1)])?.focus();
    } else if (event.key === "Enter" && event.target === input && input.value.trim()) {
      event.preventDefault();
      box.value = input.value;
      box.form.submit();
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return { dialog, input };
}

let palette;
function open() {
  palette ??= build();
  if (!palette.dialog.open) palette.dialog.showModal();
  palette.input.select();
}

if (address && typeof HTMLDialogElement === "function") {
  addEventListener(
    "keydown",
    (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      const chord = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";
      const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
      if ((!chord && !slash) || document.querySelector("dialog[open]:not(.palette)")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      open();
    },
    true,
  );
}
