// Keeps what shows a task up to date: elements with data-task and data-live (see <<taskprogress>>).
//
// While a task waits or runs it is asked for each second. When its status changes, the text of
// the page is fetched anew and put in place of the old; its logs stay as they are, and go on.
// On the task's own page the title and the icon of the tab tell its state, and who wants it is
// told of the end by the desktop.

import {fetchPart, morph, wait} from "./morph.js";

const EVERY = 1000;
const HIDDEN = 5000;
const SELDOM = 10000;
const MOVING = new Set(["READY", "RUNNING"]);
const ICONS = {RUNNING: "running", DONE: "done", ERROR: "error"};
const WANTED = "wikimill.notify"; // in localStorage: "yes" where the desktop is to tell
const pageTitle = document.title;

const elementOf = (name) =>
  [...document.querySelectorAll("[data-task][data-live]")].find((item) => item.dataset.task === name);
const isOwn = (element) => element.dataset.live === `${location.pathname}/progress`;

function showState(element) {
  showBell(element);
  if (!isOwn(element)) return;
  const {status, percent} = element.dataset;
  document.title = `${status === "RUNNING" && percent ? `${percent} %` : status} · ${pageTitle}`;
  const icon = document.querySelector("link[rel=icon]");
  const name = ICONS[status] ? `favicon-${ICONS[status]}.svg` : "favicon.svg";
  if (icon && !icon.href.endsWith(name)) icon.href = icon.href.replace(/favicon[a-z-]*\.svg/, name);
}

// -- the desktop's notification ---------------------------------------------------------------

const wanted = () => localStorage.getItem(WANTED) === "yes" && Notification.permission === "granted";

function showBell(element) {
  const bell = element.querySelector(".task-bell");
  if (!bell || !("Notification" in window)) return;
  bell.hidden = false;
  bell.setAttribute("aria-pressed", String(wanted()));
}

async function ring(bell) {
  if (wanted()) localStorage.removeItem(WANTED);
  else if (await Notification.requestPermission() === "granted") localStorage.setItem(WANTED, "yes");
  bell.setAttribute("aria-pressed", String(wanted()));
}

function tell(element) {
  if (!("Notification" in window) || !wanted() || !isOwn(element)) return;
  const body = element.querySelector(".task-note")?.textContent ?? "";
  const notice = new Notification(`${element.dataset.status}: ${pageTitle}`,
    {body, tag: element.dataset.task});
  notice.addEventListener("click", () => {
    window.focus();
    notice.close();
  });
}

document.addEventListener("click", (event) => {
  const bell = event.target.closest?.(".task-bell");
  if (bell) ring(bell);
});

// -- following --------------------------------------------------------------------------------

async function follow(name) {
  for (;;) {
    const moving = MOVING.has(elementOf(name)?.dataset.status);
    await wait(moving ? (document.hidden ? HIDDEN : EVERY) : SELDOM);
    const element = elementOf(name);
    if (!element || (document.hidden && !moving)) continue;
    const before = element.dataset.status;
    const fresh = await fetchPart(element.dataset.live, "[data-task]");
    if (!fresh) continue;
    morph(element, fresh);
    showState(element);
    if (element.dataset.status !== before) await changed(name, element.dataset.status);
  }
}

async function changed(name, status) {
  const element = elementOf(name);
  if (!MOVING.has(status)) tell(element);
  await refresh();
  document.dispatchEvent(new CustomEvent("wikimill:task", {detail: {name, status}}));
}

// Put the page's text as it is now in place of the old, unless somebody is typing in it.
async function refresh() {
  const article = document.querySelector("article.content");
  if (!article || article.contains(document.activeElement)
      && document.activeElement.matches("input, textarea, select")) return;
  const fresh = await fetchPart(location.href, "article.content");
  if (!fresh) return;
  const kept = new Map([...article.querySelectorAll("section.log[data-log]")]
    .map((section) => [section.dataset.log, section]));
  for (const section of fresh.querySelectorAll("section.log[data-log]")) {
    const old = kept.get(section.dataset.log);
    if (old) section.replaceWith(old);
  }
  article.replaceChildren(...fresh.childNodes);
  for (const section of kept.values()) section.logView?.toEnd();
  for (const element of article.querySelectorAll("[data-task][data-live]")) showState(element);
}

for (const name of new Set([...document.querySelectorAll("[data-task][data-live]")]
  .map((element) => element.dataset.task))) {
  showState(elementOf(name));
  follow(name);
}
