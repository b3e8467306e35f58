// The class editor without a new page for each step: properties are added, moved and removed in
// place. What is sent is the form as it stands; without this script the same buttons send it.

import {gettext} from "./translate.js";

const form = document.querySelector("form.class-editor");
const cards = form?.querySelector("[data-cards]");
const said = form?.querySelector("[data-said]");
const template = document.querySelector("[data-card-template]");

const nameOf = (card) => card.querySelector("input[name^=name-]").value || gettext("the new property");

function changed(words) {
  said.textContent = words;
  form.dispatchEvent(new Event("input")); // the form has something to lose
}

function add() {
  const keys = [...cards.querySelectorAll("input[name=row]")].map(({value}) => Number(value));
  const made = document.createElement("template");
  made.innerHTML = template.innerHTML.replaceAll("NEW", String(Math.max(0, ...keys) + 1));
  cards.append(made.content);
  cards.lastElementChild.querySelector("input[name^=name-]").focus();
  changed(gettext("A property was added."));
}

function move(card, by, button) {
  const place = by < 0 ? card.previousElementSibling : card.nextElementSibling;
  if (!place) return;
  if (by < 0) place.before(card);
  else place.after(card);
  button.focus();
  const at = [...cards.children].indexOf(card) + 1;
  changed(gettext("%(name)s is now number %(at)s of %(count)s.",
    {name: nameOf(card), at, count: cards.childElementCount}));
}

function remove(card) {
  const next = card.nextElementSibling ?? card.previousElementSibling;
  const name = nameOf(card);
  card.remove();
  (next?.querySelector("input[name^=name-]") ?? form.querySelector("button[value=add]")).focus();
  changed(gettext("%(name)s is removed from the form.", {name}));
}

form?.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=action]");
  const [action] = button?.value.split(":") ?? [];
  const card = button?.closest("[data-card]");
  const act = {add, up: () => move(card, -1, button), down: () => move(card, 1, button),
    remove: () => remove(card)}[action];
  if (!act) return;
  event.preventDefault();
  act();
});

// A change of very many pages goes step after step once the reader has confirmed it, or gone on
// with it, until it is done or stopped; an address alone begins nothing.
const BEGUN = "wikimill.carry";
if (form) sessionStorage.removeItem(BEGUN);
form?.addEventListener("submit", ({submitter}) => {
  if (submitter?.value !== "confirm") return;
  sessionStorage.setItem(BEGUN, `${location.pathname}/carry ${form.elements.version.value}`);
});
const carry = document.querySelector("form[data-carry]");
if (carry) {
  const change = `${location.pathname} ${new URLSearchParams(location.search).get("from")}`;
  carry.addEventListener("submit", () => sessionStorage.setItem(BEGUN, change));
  carry.querySelector("a").addEventListener("click", () => sessionStorage.removeItem(BEGUN));
  if (sessionStorage.getItem(BEGUN) === change) carry.requestSubmit();
}
