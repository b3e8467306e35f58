// The number of unread notifications in the header, and on a page whether its reader watches it.
// Both come by a request of their own, since pages are kept by the server while nothing changes.

import {tryJson} from "./asking.js";
import {tellAway} from "./away.js";
import {gettext} from "./translate.js";

const bell = document.querySelector(".bell");
const link = document.querySelector("a.watch-link");
const LABELS = {page: gettext("Watching"), space: gettext("Watching"), made: gettext("Watching")};

async function refresh() {
  const page = link ? `?page=${encodeURIComponent(link.dataset.page)}` : "";
  const state = await tryJson(`/notifications/state${page}`);
  if (!state) return;
  showCount(state.unread, state.most);
  if (link) showState(state.watching);
}

function showCount(unread, most) {
  bell.querySelector(".unread-count")?.remove();
  if (!unread) return;
  const count = document.createElement("span");
  count.className = "unread-count";
  count.textContent = unread < most ? unread : `${most - 1}+`;
  const unit = document.createElement("span");
  unit.className = "visually-hidden";
  unit.textContent = gettext(" unread");
  count.append(unit);
  bell.append(count);
}

function showState(watching) {
  link.dataset.watching = watching;
  link.textContent = LABELS[watching] ?? gettext("Watch");
}

// A click watches the page or stops it; where a space is watched, the page behind the link asks.
async function toggle() {
  const {watching} = link.dataset;
  const fields = new FormData();
  fields.set("json", "1");
  fields.set("kind", "page");
  if (LABELS[watching]) fields.set("off", "1");
  const state = await tryJson(link.href, {method: "POST", body: fields, headers: {
    "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content}});
  if (state) showState(state.watching);
  else tellAway();
}

link?.addEventListener("click", (event) => {
  const {watching} = link.dataset;
  const asks = watching === undefined || watching === "space" || link.ariaCurrent;
  if (asks || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  toggle();
});

// A comment that the address names may stand in a closed part, and its form opens with focus.
document.addEventListener("toggle", ({target}) => {
  if (target.open && target.matches(".reply, .new-comment")) target.querySelector("textarea").focus();
}, true);

if (bell) refresh();
