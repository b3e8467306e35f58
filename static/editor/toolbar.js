// The toolbar over a text, and its shortcuts: the arrow keys go along it, as along any toolbar.

import {COMMANDS} from "./commands.js";
import {gettext} from "../translate.js";

const MAC = /Mac|iP/.test(navigator.platform);

function shown(key) {
  const [last, ...others] = key.split("+").reverse();
  return [MAC ? "⌘" : "Ctrl", ...others, last.toUpperCase()].join("+");
}

function button(label, sign, className) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.setAttribute("aria-label", label);
  made.title = label;
  made.textContent = sign;
  return made;
}

export class Toolbar {
  constructor(view) {
    this.view = view;
    this.dom = document.createElement("div");
    this.dom.className = "editor-toolbar";
    this.dom.setAttribute("role", "toolbar");
    this.dom.setAttribute("aria-label", gettext("Formatting"));
    this.status = document.createElement("span");
    this.status.className = "editor-status";
    this.status.setAttribute("role", "status");
    for (const command of COMMANDS) this.addCommand(command);
    this.dom.append(this.status);
    this.dom.addEventListener("keydown", (event) => this.move(event));
    // A press on the bar must not take the focus from the text.
    this.dom.addEventListener("mousedown", (event) => event.preventDefault());
    view.dom.addEventListener("keydown", (event) => this.shortcut(event), {capture: true});
  }

  addCommand({name, label, sign, key, apart, run, asks}) {
    const made = this.add(label, sign, () => this.run({run, asks}), `tool tool-${name}${apart ? " apart" : ""}`);
    if (!key) return;
    made.title = `${label} (${shown(key)})`;
    made.setAttribute("aria-keyshortcuts", `${MAC ? "Meta" : "Control"}+${key}`);
  }

  // A button more, before the status; answers it.
  add(label, sign, act, className = "tool apart") {
    const made = button(label, sign, className);
    made.tabIndex = this.dom.querySelector("button") ? -1 : 0;
    made.addEventListener("click", act);
    if (this.status.parentElement) this.status.before(made);
    else this.dom.append(made);
    return made;
  }

  run({run, asks}) {
    const {view} = this;
    view.replace(run(view.text, view.selection));
    view.focus();
    if (asks) view.complete();
  }

  say(text) { this.status.textContent = text; }

  shortcut(event) {
    if (!(MAC ? event.metaKey : event.ctrlKey) || event.altKey) return;
    const pressed = (event.shiftKey ? "Shift+" : "")
      + (event.shiftKey && /^Digit/.test(event.code) ? event.code.slice(5) : event.key.toLowerCase());
    const command = COMMANDS.find(({key}) => key === pressed);
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    this.run(command);
  }

  move(event) {
    const tools = [...this.dom.querySelectorAll("button")];
    const at = tools.indexOf(document.activeElement);
    const next = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1}[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    const tool = tools.at(next % tools.length);
    for (const each of tools) each.tabIndex = each === tool ? 0 : -1;
    tool.focus();
  }
}
