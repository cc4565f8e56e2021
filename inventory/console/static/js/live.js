// Live regions: the service tells the newest picture of one element, and it is swapped in.
//
// By server-sent events where there is room and they come through, else by asking again and again. Each picture is complete, so nothing is lost
// with a lost line: whoever comes back names the picture they have. A lost line is shown, never hidden. Lines are open only
// while somebody looks: a browser has few of them.

import { say } from "./words.js";

const FAST = 1500;
const SLOW = 15000;
const DEAF = 20000; // the service says something every five seconds; after this long the line is dead

const WORDS = { live: say("Live now"), lost: say("Connection lost. Trying again"), ended: say("Final") };

function status(region, state) {
  const sign = document.querySelector(`[data-live-state="${region.id}"]`);
  if (!sign) return;
  sign.classList.toggle("is-live", state === "live");
  sign.classList.toggle("is-lost", state === "lost");
  const words = sign.dataset[`word${state[0].toUpperCase()}${state.slice(1)}`] ?? WORDS[state];
  if (sign.textContent !== words) sign.textContent = words;
}

function busyTyping() {
  const field = document.activeElement?.closest("main input, main textarea, main select");
  return Boolean(field && field.value);
}

/** Where the keyboard was inside the region, it stays. */
function swap(region, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(region.id);
  if (!fresh) return region;
  const links = [...region.querySelectorAll("a, button")];
  const place = links.indexOf(document.activeElement);
  const target = document.activeElement?.getAttribute?.("href");
  region.replaceWith(fresh);
  if (place >= 0) ([...fresh.querySelectorAll("a, button")].find((link) => link.getAttribute("href") === target) ?? fresh.querySelectorAll("a, button")[place])?.focus();
  return fresh;
}

class Follower {
  constructor(region) {
    this.region = region;
    this.address = region.dataset.live;
    this.stage = region.dataset.liveStage;
    this.streams = "EventSource" in window && region.dataset.liveAsk === undefined;
    this.wait = FAST;
    this.line = this.timer = this.guard = this.etag = null;
    this.known = "";
    document.addEventListener("visibilitychange", () => (document.hidden ? this.rest() : this.begin()));
    addEventListener("online", () => this.begin());
    addEventListener("offline", () => this.lost());
    addEventListener("pagehide", () => this.rest());
    addEventListener("pageshow", (event) => event.persisted && this.begin());
    this.begin();
  }

  get over() {
    return this.region.dataset.liveEnd !== undefined;
  }

  rest() {
    clearTimeout(this.timer);
    clearTimeout(this.guard);
    this.line?.close();
    this.line = this.timer = null;
  }

  begin() {
    if (document.hidden || this.over) return;
    this.rest();
    if (this.streams) this.listen();
    else this.timer = setTimeout(() => this.ask(), FAST);
  }

  lost() {
    this.rest();
    status(this.region, "lost");
  }

  later() {
    this.lost();
    this.wait = Math.min(this.wait * 2, SLOW);
    this.timer = setTimeout(() => this.begin(), this.wait);
  }

  heard() {
    this.wait = FAST;
    status(this.region, this.over ? "ended" : "live");
    clearTimeout(this.guard);
    if (this.over) this.rest();
    else if (this.line) this.guard = setTimeout(() => this.later(), DEAF);
  }

  listen() {
    const address = new URL(this.address, location.href);
    if (this.known) address.searchParams.set("last", this.known);
    const line = (this.line = new EventSource(address));
    let failed = false;
    // Neither a word nor an error: something between keeps what the service says. Asking comes through where telling does not.
    this.guard = setTimeout(() => (failed ? this.later() : this.instead()), DEAF);
    line.addEventListener("picture", (event) => {
      this.known = event.lastEventId;
      this.show(event.data);
      this.heard();
    });
    line.addEventListener("beat", () => this.heard());
    line.addEventListener("full", () => this.instead());
    line.addEventListener("ended", (event) => {
      if (["not-signed-in", "second-factor-needed", "forbidden", "not-found"].includes(event.data)) location.reload();
      else this.later();
    });
    line.onerror = () => {
      if (line !== this.line) return;
      failed = true;
      status(this.region, "lost");
      if (line.readyState === EventSource.CLOSED) this.instead(); // refused, or led elsewhere: asking tells why
    };
  }

  /** No line to be had: ask, as long as this page is open. */
  instead() {
    this.rest();
    this.streams = false;
    this.ask();
  }

  async ask() {
    this.timer = null;
    if (document.hidden) return;
    try {
      const headers = { Accept: "text/html" };
      if (this.etag) headers["If-None-Match"] = this.etag;
      const answer = await fetch(this.address, { headers, credentials: "same-origin", redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 401) {
        location.reload(); // the session has ended: the sign-in page brings the reader back here
        return;
      }
      if (answer.status === 200) {
        this.etag = answer.headers.get("ETag");
        this.show(await answer.text());
      } else if (answer.status !== 304) {
        throw new Error(String(answer.status));
      }
      this.heard();
    } catch {
      this.wait = Math.min(this.wait * 2, SLOW);
      status(this.region, "lost");
    }
    if (!this.over) this.timer = setTimeout(() => this.ask(), this.wait);
  }

  show(html) {
    this.region = swap(this.region, html);
    if (this.region.dataset.liveStage === this.stage) return;
    // The work moved on, and with it what may be done here: show the whole page anew, unless somebody is writing on it.
    if (!busyTyping()) {
      location.reload();
      return;
    }
    this.stage = this.region.dataset.liveStage;
    const notice = document.querySelector(`[data-live-moved="${this.region.id}"]`);
    if (notice) notice.hidden = false;
  }
}

for (const region of document.querySelectorAll("[data-live]")) new Follower(region);
