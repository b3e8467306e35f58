// Live tables without a new page for each step: following a link of one, or filling in a filter,
// exchanges it for the one at that address, and only it is fetched. The address goes along, and the
// focus stays. All tables of the page are exchanged, since their links hold each other's state.

import {tellAway} from "./away.js";
import {morph} from "./morph.js";
import {gettext, ngettext} from "./translate.js";

const PAUSE = 250; // milliseconds after the last key until a filter is used
const tables = () => document.querySelectorAll("[data-livetable]");
let loading = null; // what aborts the request that is under way
let timer = 0;
let shown = location.search;
let typed = null; // the filter that the last step of the history is of

// Fields that the reader has changed no longer follow their attributes by themselves.
function showValues(table, focused) {
  for (const input of table.querySelectorAll(".table-filters input, .table-filters select")) {
    if (input === focused || input.type === "checkbox") continue;
    if (input.localName === "select") {
      const chosen = input.querySelector("option[selected]") ?? input.options[0];
      input.value = chosen?.value ?? "";
    } else input.value = input.getAttribute("value") ?? "";
  }
  for (const box of table.querySelectorAll(".table-columns input, .choices-menu input")) {
    box.checked = box.hasAttribute("checked");
  }
}

function exchange(table, fresh) {
  const focused = document.activeElement;
  morph(table, fresh);
  showValues(table, focused);
  showChosen(table);
}

// The table as it is at an address of its page; null where there is something wrong.
async function fetchTable(table, {pathname, search}, signal) {
  const at = encodeURIComponent(pathname + search);
  const answer = await fetch(`${table.dataset.livetable}&at=${at}`, {signal});
  const text = await answer.text();
  return answer.ok
    ? new DOMParser().parseFromString(text, "text/html").getElementById(table.id) : null;
}

// `how` is pushState, replaceState, or empty where the address has changed already.
async function load(url, how, table) {
  clearTimeout(timer);
  loading?.abort();
  const own = loading = new AbortController();
  table?.setAttribute("aria-busy", "true");
  try {
    const there = [...tables()];
    const fresh = await Promise.all(
      there.map((item) => fetchTable(item, new URL(url, location), own.signal)));
    if (own.signal.aborted) return;
    if (fresh.includes(null)) return location.assign(url); // which says what is wrong
    if (how) history[how](null, "", url);
    shown = location.search;
    there.forEach((item, at) => exchange(item, fresh[at]));
  } catch {
    if (!own.signal.aborted) tellAway();
  } finally {
    if (loading === own) tables().forEach((item) => item.removeAttribute("aria-busy"));
  }
}

// Where a form leads, without the fields that are empty or as they are anyway. Values ticked in one
// filter are told together.
function addressOf(form) {
  const url = new URL(form.action);
  const filled = [...new FormData(form)].filter(([name, value]) => {
    const {dataset = {}} = form.elements[name];
    return value !== "" && dataset.default !== value && !dataset.filter;
  });
  const ticked = new Map();
  for (const {dataset} of form.querySelectorAll("[data-filter]:checked")) {
    const value = dataset.value.replace(/[\\|]/g, "\\$&");
    ticked.set(dataset.filter, [...ticked.get(dataset.filter) ?? [], value]);
  }
  for (const [name, values] of ticked) filled.push([name, values.join("|")]);
  url.search = new URLSearchParams(filled).toString();
  url.hash = "";
  return url.href;
}

function send(form, input = null) {
  const how = input && input === typed ? "replaceState" : "pushState";
  typed = input;
  load(addressOf(form), how, form.closest("[data-livetable]"));
}

function showChosen(table) {
  const all = table.querySelector("[data-choose-all]");
  if (!all) return;
  const boxes = [...table.querySelectorAll("tbody input[name=row]")];
  const count = boxes.filter((box) => box.checked).length;
  all.hidden = !boxes.length;
  all.checked = count > 0 && count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
  const option = table.querySelector(".table-bulk select[name=scope] option");
  option.textContent = count
    ? ngettext("the %(num)s row ticked", "the %(num)s rows ticked", count) : gettext("the rows ticked");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-table-link]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  typed = null;
  load(link.href.replace(/#.*/, ""), "pushState", link.closest("[data-livetable]"));
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches?.(".table-filters, .table-columns")) return;
  event.preventDefault();
  send(event.target);
});

document.addEventListener("input", (event) => {
  const input = event.target;
  const form = input.form;
  if (!form?.matches(".table-filters") || !input.matches("input[type=search], input[type=number]")) return;
  clearTimeout(timer);
  timer = setTimeout(() => form.isConnected && send(form, input), PAUSE);
});

document.addEventListener("change", (event) => {
  const input = event.target;
  const table = input.closest?.("[data-livetable]");
  if (!table) return;
  if (input.matches("[data-choose-all]")) {
    for (const box of table.querySelectorAll("tbody input[name=row]")) box.checked = input.checked;
    showChosen(table);
  } else if (input.matches("input[name=row]")) showChosen(table);
  else if (input.matches(".table-filters select, .table-filters input[type=date], [data-filter], .table-columns input")) {
    send(input.form);
  }
});

// Outside of an open menu, or with Escape, it closes.
document.addEventListener("pointerdown", (event) => {
  for (const menu of document.querySelectorAll(".livetable details[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.(".livetable details[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

addEventListener("popstate", () => {
  if (!tables().length || location.search === shown) return;
  typed = null;
  load(location.href, "", null);
});

tables().forEach(showChosen);
