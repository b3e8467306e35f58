// Ctrl+K: to a page by its title, to one that was read lately, to a new one, or to a search.

import {recentOf, remember} from "./recent.js";

const dialog = document.getElementById("quick-open");
const input = dialog.querySelector("input");
const list = dialog.querySelector("ul");
const status = dialog.querySelector("[role=status]");
const say = (name, value) => dialog.dataset[`say${name}`].replace("%s", value);
const {user, page, title, titles, search, create} = dialog.dataset;
const MOST = 12;
let asked = null; // what stops the question that is under way
let chosen = 0;

if (page) remember(user, {reference: page, title});

// -- the list -------------------------------------------------------------------------------------

const pathOf = (reference) => `/${encodeURIComponent(reference)}`;

function option(text, url, detail = "", kind = "page") {
  const item = document.createElement("li");
  item.setAttribute("role", "option");
  item.dataset.url = url;
  item.className = kind;
  const name = document.createElement("span");
  name.textContent = text;
  const small = document.createElement("small");
  small.textContent = detail;
  item.append(name, small);
  return item;
}

const asOption = ({reference, title: text}) => option(text || reference, pathOf(reference), reference);

function further(text) {
  const items = [];
  if (create) {
    const query = new URLSearchParams({name: text, ...(page ? {base: page} : {})});
    items.push(option(say("Create", text), `${create}?${query}`, "", "create"));
  }
  items.push(option(say("Search", text), `${search}?${new URLSearchParams({q: text})}`, "", "search"));
  return items;
}

function show(items, message) {
  list.replaceChildren(...items);
  items.forEach((item, number) => { item.id = `quick-open-${number}`; });
  choose(0);
  status.textContent = message;
}

function choose(number) {
  const items = [...list.children];
  chosen = items.length ? (number + items.length) % items.length : 0;
  items.forEach((item, at) => item.setAttribute("aria-selected", at === chosen));
  items[chosen]?.scrollIntoView({block: "nearest"});
  if (items.length) input.setAttribute("aria-activedescendant", items[chosen].id);
  else input.removeAttribute("aria-activedescendant");
}

async function look() {
  asked?.abort();
  const text = input.value.trim();
  if (!text) {
    const pages = recentOf(user).filter((one) => one.reference !== page).slice(0, MOST);
    return show(pages.map(asOption), say("Recent", ""));
  }
  const asking = asked = new AbortController();
  try {
    const answer = await fetch(`${titles}?${new URLSearchParams({q: text, limit: MOST})}`,
      {signal: asking.signal, headers: {Accept: "application/json"}});
    if (!answer.ok) throw new Error(`the list of titles answered ${answer.status}`);
    const {items} = await answer.json();
    show([...items.map(asOption), ...further(text)],
      items.length ? say("Found", items.length) : say("None", ""));
  } catch (error) {
    if (asking.signal.aborted) return; // a newer question took its place
    console.warn(error);
    show(further(text), say("Failed", ""));
  }
}

// -- keys and clicks --------------------------------------------------------------------------------

function go(item, apart) {
  if (!item) return;
  if (apart) open(item.dataset.url, "_blank", "noopener");
  else location.assign(item.dataset.url);
  dialog.close();
}

function begin(text = "") {
  if (dialog.open) return;
  input.value = text;
  list.replaceChildren();
  dialog.showModal();
  input.select();
  look();
}

input.addEventListener("input", look);
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (step) choose(chosen + step);
  else if (event.key === "Enter") go(list.children[chosen], event.ctrlKey || event.metaKey);
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) =>
  go(event.target.closest("[role=option]"), event.ctrlKey || event.metaKey));
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.key.toLowerCase() !== "k" || event.shiftKey || event.altKey
      || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault(); // the editor's own Ctrl+K has been handled by now
  begin();
});

const keys = document.querySelector("[data-keys]");
if (keys) {
  if (/Mac|iPhone|iPad/.test(navigator.platform)) keys.textContent = "⌘ K";
  keys.hidden = false;
}
