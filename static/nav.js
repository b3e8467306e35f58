// The sidebar: closed and opened, its tree unfolded branch by branch, kept as it was from page to
// page; the table of contents, which marks what is on screen; menus that close; printing.

import {tryFetch} from "./asking.js";
import {tellAway} from "./away.js";

const root = document.documentElement;
const sidebar = document.getElementById("sidebar");
const toggle = document.querySelector(".nav-toggle");
const narrow = matchMedia("(max-width: 64rem)");
const OPENED = "wikimill.tree";
const SCROLLED = "wikimill.tree.top";

function stored(storage, key) {
  try { return storage().getItem(key); } catch { return null; } // storage may be forbidden
}

function store(storage, key, value) {
  try { storage().setItem(key, value); } catch { /* not kept then */ }
}

const local = () => localStorage;
const session = () => sessionStorage;

// -- open and closed --------------------------------------------------------------------------

function isOpen() {
  return narrow.matches ? root.dataset.drawer === "open" : root.dataset.sidebar !== "closed";
}

function show(open) {
  if (narrow.matches) root.dataset.drawer = open ? "open" : "closed";
  else {
    root.dataset.sidebar = open ? "open" : "closed";
    store(local, "wikimill.sidebar", root.dataset.sidebar);
  }
  toggle.setAttribute("aria-expanded", open);
}

function asButton(link, act) {
  link.setAttribute("role", "button");
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    act(link);
  });
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    act(link);
  });
}

function closeDrawer() {
  show(false);
  toggle.focus();
}

if (sidebar && toggle) {
  root.dataset.scripted = "";
  toggle.setAttribute("aria-controls", "sidebar");
  toggle.setAttribute("aria-expanded", isOpen());
  narrow.addEventListener("change", () => toggle.setAttribute("aria-expanded", isOpen()));
  asButton(toggle, () => {
    show(!isOpen());
    if (narrow.matches && isOpen()) sidebar.focus();
  });
  document.querySelector(".backdrop").addEventListener("click", (event) => {
    event.preventDefault();
    closeDrawer();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && narrow.matches && isOpen()) closeDrawer();
  });
}

// -- the tree ---------------------------------------------------------------------------------

async function itemsOf(url) {
  const address = new URL(url, location.href);
  address.searchParams.set("part", "");
  const answer = await tryFetch(address);
  const text = await answer?.text().catch(() => null);
  if (text == null) return null;
  return new DOMParser().parseFromString(`<ul>${text}</ul>`, "text/html").querySelector("ul");
}

function opened() {
  return new Set(JSON.parse(stored(session, OPENED) ?? "[]"));
}

function remember(at, open) {
  const all = opened();
  if (open) all.add(at);
  else all.delete(at);
  store(session, OPENED, JSON.stringify([...all]));
}

// `asked`: by the reader, who is told where it fails; a branch that was open before stays closed.
async function unfold(twist, open, asked = true) {
  const item = twist.closest("li");
  let list = item.querySelector(":scope > ul");
  if (open && !list) {
    twist.setAttribute("aria-busy", "true");
    list = await itemsOf(twist.href);
    twist.removeAttribute("aria-busy");
    if (!list) {
      if (asked) tellAway();
      return;
    }
    item.append(list);
    prepare(list);
  }
  if (list) list.hidden = !open;
  twist.setAttribute("aria-expanded", open);
}

async function more(link) {
  const item = link.closest("li");
  const list = await itemsOf(link.href);
  if (!list) return tellAway();
  prepare(list);
  const first = list.querySelector("a.leaf");
  item.replaceWith(...list.children);
  first?.focus();
}

function prepare(tree) {
  const kept = opened();
  for (const twist of tree.querySelectorAll("a.twist")) {
    const {at} = twist.dataset;
    if (!twist.hasAttribute("aria-expanded")) twist.setAttribute("aria-expanded", "false");
    asButton(twist, () => {
      const open = twist.getAttribute("aria-expanded") !== "true";
      remember(at, open);
      unfold(twist, open);
    });
    if (kept.has(at) && twist.getAttribute("aria-expanded") !== "true") unfold(twist, true, false);
  }
  for (const link of tree.querySelectorAll("a.tree-more")) asButton(link, more);
}

for (const tree of document.querySelectorAll(".page-tree")) prepare(tree);
if (sidebar) {
  sidebar.scrollTop = Number(stored(session, SCROLLED) ?? 0);
  const current = sidebar.querySelector("[aria-current=page]");
  if (current) {
    const {top, bottom} = current.getBoundingClientRect();
    const frame = sidebar.getBoundingClientRect();
    if (top < frame.top || bottom > frame.bottom) sidebar.scrollTop += top - frame.top - 80;
  }
  addEventListener("pagehide", () => store(session, SCROLLED, sidebar.scrollTop));
}

document.querySelector(".tabs [aria-current]")?.scrollIntoView({inline: "nearest", block: "nearest"});

// -- menus, contents, printing ------------------------------------------------------------------

function closeMenus(kept) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(kept)) menu.open = false;
  }
}
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.activeElement?.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

const contents = document.querySelector(".page-toc");
if (contents) {
  const links = new Map([...contents.querySelectorAll("a")].map((link) =>
    [document.getElementById(decodeURIComponent(link.hash.slice(1))), link]));
  const headings = [...links.keys()].filter(Boolean);
  let waiting = false;
  const mark = () => {
    waiting = false;
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top < 120);
    const here = links.get(passed.at(-1) ?? headings[0]);
    for (const link of links.values()) {
      if (link === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  }, {passive: true});
  mark();
}

// What scrolls can be scrolled by keys, in every browser.
const SCROLLERS = "pre, .scroll, .highlight, .macro-output, .content > table, math[display=block]";
const FOCUSABLE = "a[href], button, input, select, textarea, [tabindex]";
const sizes = new ResizeObserver((entries) => {
  for (const {target} of entries) {
    const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
    if (scrolls && !target.hasAttribute("tabindex") && !target.querySelector(FOCUSABLE)) {
      target.tabIndex = 0;
    }
  }
});
for (const element of document.querySelectorAll(SCROLLERS)) sizes.observe(element);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    closeMenus(null);
    print();
  });
}
