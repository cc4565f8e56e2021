// Live regions: asks the service for the newest picture of one element and swaps it in.
//
// Polling and not a stream, because it survives proxies, sleep and restarts by itself: each question stands alone. The
// service answers 304 when nothing changed; a lost line is shown, never hidden, and the questions go on, slower.

const FAST = 1500;
const SLOW = 15000;

function status(region, state) {
  const sign = document.querySelector(`[data-live-state="${region.id}"]`);
  if (!sign) return;
  sign.classList.toggle("is-live", state === "live");
  sign.classList.toggle("is-lost", state === "lost");
  const words = { live: "Live", lost: "Connection lost. Trying again", ended: "Final" };
  if (sign.textContent !== words[state]) sign.textContent = words[state];
}

function busyTyping() {
  const field = document.activeElement?.closest("main input, main textarea, main select");
  return Boolean(field && field.value);
}

function swap(region, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const fresh = page.getElementById(region.id);
  if (!fresh) return region;
  region.replaceWith(fresh);
  return fresh;
}

function follow(start) {
  let region = start;
  let etag = null;
  let wait = FAST;
  let timer = null;
  let stage = region.dataset.liveStage;

  async function ask() {
    timer = null;
    if (document.hidden) return;
    try {
      const headers = { Accept: "text/html" };
      if (etag) headers["If-None-Match"] = etag;
      const answer = await fetch(region.dataset.live, { headers, credentials: "same-origin", redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 401) {
        location.reload(); // the session has ended: the sign-in page brings the reader back here
        return;
      }
      if (answer.status === 200) {
        etag = answer.headers.get("ETag");
        region = swap(region, await answer.text());
      } else if (answer.status !== 304) {
        throw new Error(String(answer.status));
      }
      wait = FAST;
      status(region, region.dataset.liveEnd === undefined ? "live" : "ended");
    } catch {
      wait = Math.min(wait * 2, SLOW);
      status(region, "lost");
    }
    if (region.dataset.liveStage !== stage) {
      // The work moved on, and with it what may be done here: show the whole page anew, unless somebody is writing on it.
      if (!busyTyping()) {
        location.reload();
        return;
      }
      stage = region.dataset.liveStage;
      const notice = document.querySelector(`[data-live-moved="${region.id}"]`);
      if (notice) notice.hidden = false;
    }
    if (region.dataset.liveEnd === undefined) timer = setTimeout(ask, wait);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && timer === null && region.dataset.liveEnd === undefined) ask();
  });
  addEventListener("online", () => {
    clearTimeout(timer);
    wait = FAST;
    ask();
  });
  timer = setTimeout(ask, FAST);
}

for (const region of document.querySelectorAll("[data-live]")) follow(region);
