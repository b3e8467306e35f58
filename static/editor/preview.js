// The preview beside the text: the server renders what is typed, and both scroll together.

import {morphChildren} from "../morph.js";
import {Alignment} from "./scroll.js";
import {gettext} from "../translate.js";

const DELAY = 350; // milliseconds after the last key
const SHOWN = "wikimill.preview"; // "off" where the reader wants none

export class Preview {
  constructor(form, view) {
    this.form = form;
    this.view = view;
    this.dom = document.createElement("section");
    this.dom.className = "live-preview";
    this.dom.setAttribute("aria-label", gettext("Preview"));
    this.dom.tabIndex = 0;
    this.content = document.createElement("div");
    this.content.className = "content";
    this.note = document.createElement("p");
    this.note.className = "note";
    this.dom.append(this.note, this.content);
    form.after(this.dom);
    this.alignment = new Alignment(view, this.dom, this.content);
    this.show(localStorage.getItem(SHOWN) !== "off");
    new ResizeObserver(() => this.alignment.forget()).observe(this.content);
  }

  get shown() { return !this.dom.hidden; }

  show(shown) {
    this.dom.hidden = !shown;
    this.form.parentElement.classList.toggle("split", shown);
    if (shown) this.ask();
  }

  toggle() {
    this.show(!this.shown);
    localStorage.setItem(SHOWN, this.shown ? "on" : "off");
    return this.shown;
  }

  // The text has changed.
  change() {
    clearTimeout(this.timer);
    if (this.shown) this.timer = setTimeout(() => this.ask(), DELAY);
  }

  async ask() {
    this.asked?.abort();
    const asked = this.asked = new AbortController();
    try {
      const answer = await fetch(this.form.dataset.preview,
        {method: "POST", body: new FormData(this.form), signal: asked.signal,
          headers: {Accept: "application/json"}});
      if (!answer.ok) throw new Error(gettext("the server answered %(status)s", {status: answer.status}));
      this.take((await answer.json()).html);
      this.note.textContent = "";
    } catch (error) {
      if (error.name !== "AbortError") this.note.textContent = gettext("No preview just now: %(why)s", {why: error.message});
    }
  }

  take(html) {
    const fresh = new DOMParser().parseFromString(`<body><div>${html}</div>`, "text/html");
    for (const element of fresh.querySelectorAll("[id]")) {
      if (this.form.elements.namedItem(element.id)) element.removeAttribute("id"); // a field's name
    }
    for (const link of fresh.querySelectorAll('a[href]:not([href^="#"])')) link.target = "_blank";
    morphChildren(this.content, fresh.body.firstChild);
    this.alignment.forget();
    document.dispatchEvent(new CustomEvent("wikimill:text"));
  }
}
