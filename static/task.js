// What shows tasks: elements with data-task (see <<taskprogress>>), which live.js keeps up to date.
//
// When a task's status changes, the text of the page is fetched anew and put in place of the old;
// its logs stay as they are, and go on. On the task's own page the title and the icon of the tab
// tell its state, and who wants it is told of the end by the desktop; for that, and for nothing
// else, the page asks on while it is hidden.

import {fetchPart} from "./morph.js";

const TASKS = "[data-task][data-page]";
const HIDDEN = 5; // seconds
const MOVING = new Set(["READY", "RUNNING"]);
const ICONS = {RUNNING: "running", DONE: "done", ERROR: "error"};
const WANTED = "wikimill.notify"; // in localStorage: "yes" where the desktop is to tell
const pageTitle = document.title;

const seen = new Map(); // task -> the status that is known
const isOwn = (element) => element.dataset.page === location.pathname;
const shown = () => document.querySelectorAll(TASKS);

function showState(element) {
  showBell(element);
  askHidden(element);
  if (!isOwn(element)) return;
  const {status, percent} = element.dataset;
  document.title = `${status === "RUNNING" && percent ? `${percent} %` : status} · ${pageTitle}`;
  const icon = document.querySelector("link[rel=icon]");
  const name = ICONS[status] ? `favicon-${ICONS[status]}.svg` : "favicon.svg";
  if (icon && !icon.href.endsWith(name)) icon.href = icon.href.replace(/favicon[a-z-]*\.svg/, name);
}

// -- the desktop's notification ---------------------------------------------------------------

const wanted = () => "Notification" in window && localStorage.getItem(WANTED) === "yes"
  && Notification.permission === "granted";

// Have the part that shows the task asked for while the page is hidden, as long as that is wanted.
function askHidden(element) {
  const part = element.closest("[data-part]");
  if (!part) return;
  if (isOwn(element) && MOVING.has(element.dataset.status) && wanted()) part.dataset.hidden = HIDDEN;
  else delete part.dataset.hidden;
}

function showBell(element) {
  const bell = element.querySelector(".task-bell");
  if (!bell || !("Notification" in window)) return;
  bell.hidden = false;
  bell.setAttribute("aria-pressed", String(wanted()));
}

async function ring(bell) {
  if (wanted()) localStorage.removeItem(WANTED);
  else if (await Notification.requestPermission() === "granted") localStorage.setItem(WANTED, "yes");
  shown().forEach(showState);
}

function tell(element) {
  if (!wanted() || !isOwn(element)) return;
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

async function changed(element) {
  const {task: name, status} = element.dataset;
  if (!MOVING.has(status)) tell(element);
  await refresh();
  document.dispatchEvent(new CustomEvent("wikimill:task", {detail: {name, status}}));
}

// Take note of what an element shows now.
function look(element) {
  const {task: name, status} = element.dataset;
  const before = seen.get(name);
  seen.set(name, status);
  showState(element);
  if (before !== undefined && before !== status) changed(element);
}

document.addEventListener("wikimill:part",
  (event) => event.detail.part.querySelectorAll(TASKS).forEach(look));

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
  document.dispatchEvent(new CustomEvent("wikimill:text"));
  shown().forEach(look);
}

shown().forEach(look);
