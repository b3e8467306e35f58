// Finds pages and users while one types: input[data-pick], or textarea[data-pick] with one name a
// line. data-pick names the class that the pages have an object of, or is empty for all pages.
// The list opens while one types, or by the down arrow; without this script the field is plain.

import {tryJson} from "./asking.js";
import {gettext, ngettext} from "./translate.js";

const DELAY = 150;
const MOST = 8;
let made = 0;

class Picker {
  constructor(field) {
    this.field = field;
    this.turn = 0; // only the last question's answer counts
    this.chosen = -1;
    this.list = document.createElement("ul");
    this.list.id = `picker-${++made}`;
    this.list.className = "picks";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", gettext("Suggestions"));
    this.list.hidden = true;
    this.state = document.createElement("span");
    this.state.className = "visually-hidden";
    this.state.setAttribute("role", "status");
    const frame = document.createElement("span");
    frame.className = "picking";
    frame.dataset.scripted = "";
    field.before(frame);
    frame.append(field, this.list, this.state);
    field.removeAttribute("list");
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"],
      ["aria-expanded", "false"], ["aria-controls", this.list.id]]) field.setAttribute(name, value);
    field.addEventListener("input", () => this.soon());
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take([...this.list.children].indexOf(option));
    });
  }

  // Where the name that the cursor is in begins and ends: the line of a textarea.
  get place() {
    const {value, selectionStart: at} = this.field;
    if (this.field.localName === "input") return [0, value.length];
    const end = value.indexOf("\n", at);
    return [value.lastIndexOf("\n", at - 1) + 1, end < 0 ? value.length : end];
  }

  get text() { return this.field.value.slice(...this.place).trim(); }

  get open() { return !this.list.hidden; }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), DELAY);
  }

  async look() {
    const turn = ++this.turn;
    const asked = new URLSearchParams({q: this.text, limit: MOST});
    if (this.field.dataset.pick) asked.set("class", this.field.dataset.pick);
    const answer = await tryJson(`/api/v1/titles?${asked}`); // without, the name can be typed
    if (answer && turn === this.turn && document.activeElement === this.field) this.show(answer.items);
  }

  show(items) {
    this.items = items;
    this.list.replaceChildren(...items.map((item, at) => this.option(item, at)));
    this.list.hidden = !items.length;
    this.field.setAttribute("aria-expanded", String(this.open));
    this.state.textContent = items.length
      ? ngettext("%(num)s page", "%(num)s pages", items.length) : gettext("No page");
    this.choose(-1);
  }

  option({reference, title}, at) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${at}`;
    option.setAttribute("role", "option");
    const name = document.createElement("span");
    name.textContent = title || reference;
    option.append(name);
    if (title && title !== reference) {
      const detail = document.createElement("small");
      detail.textContent = reference;
      option.append(" ", detail);
    }
    return option;
  }

  choose(number) {
    this.chosen = number;
    for (const [at, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(at === number));
    }
    const option = this.list.children[number];
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  take(number) {
    const {reference} = this.items[number];
    const [start, end] = this.place;
    this.field.setSelectionRange(start, end);
    document.execCommand("insertText", false, reference); // keeps the undo history
    clearTimeout(this.timer);
    this.close();
  }

  close() {
    this.turn++;
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.state.textContent = "";
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const {key} = event;
    const {length} = this.list.children;
    if (!this.open) {
      if (key !== "ArrowDown" || this.field.localName === "textarea") return;
      event.preventDefault();
      this.look();
    } else if (key === "ArrowDown") this.to(event, this.chosen + 1 < length ? this.chosen + 1 : 0);
    else if (key === "ArrowUp") this.to(event, this.chosen > 0 ? this.chosen - 1 : length - 1);
    else if (key === "Escape") {
      event.preventDefault();
      event.stopPropagation(); // a form in place stays open
      this.close();
    } else if (key === "Enter" && this.chosen >= 0) {
      event.preventDefault();
      this.take(this.chosen);
    }
  }

  to(event, number) {
    event.preventDefault();
    this.choose(number);
  }
}

// Made when a field is first entered: forms come in later too.
document.addEventListener("focusin", ({target}) => {
  if (!target.matches?.("[data-pick]:not([role=combobox])")) return;
  new Picker(target);
  target.focus(); // moving it took the focus away
});
