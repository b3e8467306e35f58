// Completion in a textarea: textarea[data-macros] names where the lists are (editor/suggest.js).
//
// The list opens by itself after <<, among a macro's parameters, after [[ and attach:, and by
// Ctrl+Space. Arrow keys choose, Enter or Tab takes, Escape closes. Without a script the field is a plain one.

import {completions, narrowed, sourcesOf} from "./editor/suggest.js";

const LIST = "completions";
const GAP = 4; // pixels between the line and a list above it
// What of a textarea's style decides where its text breaks.
const COPIED = ["fontFamily", "fontSize", "fontWeight", "fontStyle", "letterSpacing", "lineHeight",
  "tabSize", "textIndent", "textTransform", "wordSpacing", "paddingTop", "paddingRight",
  "paddingBottom", "paddingLeft", "borderTopWidth", "borderRightWidth", "borderBottomWidth",
  "borderLeftWidth", "boxSizing"];

// Where the text at an offset stands within the textarea, in pixels from its corner.
function placeOf(area, offset) {
  const style = getComputedStyle(area);
  const mirror = document.createElement("div");
  for (const name of COPIED) mirror.style[name] = style[name];
  Object.assign(mirror.style, {position: "absolute", visibility: "hidden", whiteSpace: "pre-wrap",
    overflowWrap: "break-word", borderStyle: "solid", width: `${area.clientWidth
      + parseFloat(style.borderLeftWidth) + parseFloat(style.borderRightWidth)}px`});
  const mark = document.createElement("span");
  mark.textContent = "\u200b";
  mirror.append(area.value.slice(0, offset), mark);
  document.body.append(mirror);
  const place = {left: mark.offsetLeft - area.scrollLeft, top: mark.offsetTop - area.scrollTop,
                 height: mark.offsetHeight || parseFloat(style.lineHeight)};
  mirror.remove();
  return place;
}

class Completion {
  constructor(area) {
    this.area = area;
    this.asking = null; // what breaks the question off that is under way
    this.found = null; // the last answer, whole
    this.items = [];
    this.chosen = 0;
    this.list = document.createElement("ul");
    this.list.id = LIST;
    this.list.className = "completions";
    this.list.setAttribute("role", "listbox");
    this.list.hidden = true;
    this.state = document.createElement("p");
    this.state.className = "visually-hidden";
    this.state.setAttribute("role", "status");
    area.after(this.list, this.state);
    area.parentElement.classList.add("completing");
    area.setAttribute("aria-autocomplete", "list");
    area.addEventListener("input", (event) => {
      if (!event.isComposing) this.look();
    });
    area.addEventListener("keydown", (event) => this.key(event), {capture: true});
    area.addEventListener("wikimill:complete", () => this.look());
    area.addEventListener("click", () => this.close());
    area.addEventListener("blur", () => this.close());
    area.addEventListener("scroll", () => this.close());
    // A press on the list must not take the focus from the text.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take([...this.list.children].indexOf(option));
    });
  }

  get open() { return !this.list.hidden; }

  async look() {
    const {area} = this;
    const {value, selectionStart: at, selectionEnd} = area;
    const fewer = this.open && at === selectionEnd && narrowed(this.found, value.slice(0, at));
    if (fewer) return this.show(fewer);
    this.close(); // what is shown answers an older text, and must not be taken for this one
    if (at !== selectionEnd) return;
    const {signal} = this.asking = new AbortController();
    try {
      const found = await completions(sourcesOf(area), value.slice(0, at), value.slice(at), signal);
      const same = area.value === value && area.selectionStart === at;
      if (!found || !same || signal.aborted || document.activeElement !== area) return;
      this.found = found;
      this.show(found);
    } catch (error) {
      if (!signal.aborted) console.warn(error); // the text can be written without
    }
  }

  show({from, items, label}) {
    this.from = from;
    this.items = items;
    this.list.replaceChildren(...items.map((item, number) => this.option(item, number)));
    this.list.setAttribute("aria-label", label);
    this.list.hidden = false;
    this.put();
    const {area} = this;
    area.setAttribute("role", "combobox");
    area.setAttribute("aria-expanded", "true");
    area.setAttribute("aria-controls", LIST);
    this.state.textContent = `${label}: ${items.length}`;
    this.choose(0);
  }

  option({label, detail, help}, number) {
    const option = document.createElement("li");
    option.id = `${LIST}-${number}`;
    option.setAttribute("role", "option");
    for (const [kind, text] of [["name", label], ["detail", detail], ["help", help]]) {
      if (!text) continue;
      const part = document.createElement("span");
      part.className = `completion-${kind}`;
      part.textContent = text.replaceAll("`", ""); // helps are Markdown
      option.append(part, " ");
    }
    return option;
  }

  put() {
    const {area, list} = this;
    const {left, top, height} = placeOf(area, this.from);
    const most = area.offsetLeft + area.clientWidth - list.offsetWidth;
    list.style.left = `${Math.max(area.offsetLeft, Math.min(area.offsetLeft + left, most))}px`;
    const below = Math.min(top + height, area.clientHeight);
    const corner = area.getBoundingClientRect().top;
    const room = document.documentElement.clientHeight - corner - below;
    const above = room < list.offsetHeight && corner + top > room;
    list.style.top = `${area.offsetTop + (above ? top - list.offsetHeight - GAP : below)}px`;
  }

  close() {
    this.asking?.abort();
    if (!this.open) return;
    this.list.hidden = true;
    this.state.textContent = "";
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-activedescendant"]) {
      this.area.removeAttribute(name);
    }
  }

  choose(number) {
    const {length} = this.items;
    this.chosen = (number + length) % length;
    [...this.list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === this.chosen));
    });
    const option = this.list.children[this.chosen];
    this.area.setAttribute("aria-activedescendant", option.id);
    // Not scrollIntoView, which would move the page too.
    const {list} = this;
    if (option.offsetTop < list.scrollTop) list.scrollTop = option.offsetTop;
    const below = option.offsetTop + option.offsetHeight - list.clientHeight;
    if (below > list.scrollTop) list.scrollTop = below;
  }

  take(number) {
    const {area} = this;
    const {insert, caret, past = 0, again} = this.items[number];
    this.close();
    area.setSelectionRange(this.from, area.selectionStart);
    document.execCommand("insertText", false, insert); // keeps the undo history
    // `past`: how much of what closes the value, there or just put in, is passed too.
    const at = this.from + caret + past;
    area.setSelectionRange(at, at);
    if (again) this.look();
    else this.close();
  }

  key(event) {
    if (event.ctrlKey && event.code === "Space") {
      event.preventDefault();
      this.look();
      return;
    }
    if (!this.open || event.isComposing) return;
    const act = this.action(event);
    if (!act) {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) this.close();
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation(); // the editor's own Tab and Escape are not meant
    act();
  }

  action({key, shiftKey, ctrlKey, altKey, metaKey}) {
    if (ctrlKey || altKey || metaKey || shiftKey) return null;
    return {
      ArrowDown: () => this.choose(this.chosen + 1),
      ArrowUp: () => this.choose(this.chosen - 1),
      PageDown: () => this.choose(Math.min(this.chosen + 8, this.items.length - 1)),
      PageUp: () => this.choose(Math.max(this.chosen - 8, 0)),
      Enter: () => this.take(this.chosen),
      Tab: () => this.take(this.chosen),
      Escape: () => this.close(),
    }[key];
  }
}

for (const area of document.querySelectorAll("textarea[data-macros]")) new Completion(area);
