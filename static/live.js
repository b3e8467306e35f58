// Keeps the live parts of a page up to date, and fills in the slow ones: elements with data-part.
//
// All parts that are due are asked for in one request, and only what has changed comes back. A
// page that is hidden does not ask, but for what a script asks it to (data-hidden, seconds); one
// that is shown again asks at once. Where the server takes long, it is asked less often; where
// it is away, more and more seldom until it is back. What changed is told to the document by the event
// "wikimill:part", with the element; "wikimill:text" tells that the page's text was exchanged.

import {tryJson} from "./asking.js";
import {morphChildren} from "./morph.js";

const MOST = 100; // parts in one request
const SHARE = 10; // at most a tenth of the time is spent on asking
const BUSY = [0.2, 10]; // seconds until a slow part is asked for again: at first, at most
const TIMEOUT = 30; // seconds
const AWAY = [1, 30]; // seconds until a server that does not answer is asked again
const states = new WeakMap(); // element -> when it is due, how long it has been busy

const now = () => performance.now() / 1000;
const grow = (seconds, [first, most]) => Math.min(most, seconds ? seconds * 1.6 : first);
const live = () => [...document.querySelectorAll("[data-part]")];
const every = (part) => Number(document.hidden ? part.dataset.hidden : part.dataset.every) || 0;

function stateOf(part) {
  if (!states.has(part)) {
    const busy = part.hasAttribute("aria-busy");
    states.set(part, {asked: now(), busy: busy ? BUSY[0] : 0});
  }
  return states.get(part);
}

// When the part is to be asked for, in seconds of this page's clock.
function due(part) {
  const {asked, busy} = stateOf(part);
  if (busy && !document.hidden) return asked + busy;
  return every(part) ? asked + every(part) : Infinity;
}

let wakeUp = () => {};

// Ends when it is time, or when something happens; whether it was the latter.
function sleep(seconds) {
  return new Promise((resolve) => {
    const timer = Number.isFinite(seconds)
      ? setTimeout(() => resolve(false), Math.max(0, seconds) * 1000) : 0;
    wakeUp = () => {
      clearTimeout(timer);
      resolve(true);
    };
  });
}

// Ask for all parts without waiting until they are due.
function hurry() {
  for (const part of live()) stateOf(part).asked = -Infinity;
  wakeUp();
}

async function ask(parts) {
  const body = new URLSearchParams();
  for (const part of parts) {
    body.append("part", part.dataset.part);
    body.append("tag", part.dataset.tag);
  }
  const answer = await tryJson("/parts", {
    method: "POST", body, signal: AbortSignal.timeout(TIMEOUT * 1000),
  });
  return answer?.parts;
}

function take(part, {gone, busy, html, tag, every: pace}) {
  const state = stateOf(part);
  state.asked = now();
  if (gone) {
    delete part.dataset.part;
    part.removeAttribute("aria-busy");
    return;
  }
  if (busy) {
    state.busy = grow(state.busy, BUSY);
    return;
  }
  state.busy = 0;
  part.removeAttribute("aria-busy");
  part.dataset.every = pace;
  if (html === undefined) return;
  const fresh = new DOMParser().parseFromString(`<body><div>${html}</div>`, "text/html");
  morphChildren(part, fresh.body.firstChild);
  part.dataset.tag = tag;
  document.dispatchEvent(new CustomEvent("wikimill:part", {detail: {part}}));
}

async function keep() {
  let rest = 0; // when the server may be asked again
  let away = 0;
  for (;;) {
    const next = Math.max(rest, Math.min(...live().map(due)));
    if (await sleep(next - now())) continue;
    // What is due in a moment goes with the rest.
    const parts = live().filter((part) => due(part) < now() + every(part) / 4).slice(0, MOST);
    if (!parts.length) continue;
    const begun = now();
    const answers = await ask(parts);
    const took = now() - begun;
    // A server that is just back is slow at first, and much may have changed meanwhile.
    const pause = answers && away ? AWAY[0] : Math.min(took * SHARE, AWAY[1]);
    away = answers ? 0 : grow(away, AWAY);
    rest = now() + (away || pause);
    answers?.forEach((answer, at) => {
      if (parts[at].isConnected) take(parts[at], answer);
    });
  }
}

document.addEventListener("visibilitychange", () => (document.hidden ? wakeUp() : hurry()));
addEventListener("online", hurry);
// There are other parts now than there were.
document.addEventListener("wikimill:text", () => wakeUp());
keep();
