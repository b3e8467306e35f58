// The script editor: line numbers, indenting, and a check while one types.
//
// All that the rest of this file asks of the text is in TextView, so that the rich editor can
// take its place: text, onChange, select(line, column), mark(problems).

import {tryJson} from "./asking.js";
import {openRich} from "./editor/rich.js";
import {gettext} from "./translate.js";

const DELAY = 600;
const INDENT = "    ";
const LEVELS = {error: gettext("Error"), warning: gettext("Warning")};

class TextView {
  constructor(area) {
    this.area = area;
    this.gutter = document.createElement("ol");
    this.gutter.className = "script-lines";
    this.gutter.setAttribute("aria-hidden", "true");
    area.before(this.gutter);
    this.levels = new Map();
    this.onChange = () => {};
    area.addEventListener("input", () => {
      this.count();
      this.onChange();
    });
    area.addEventListener("scroll", () => { this.gutter.scrollTop = area.scrollTop; });
    area.addEventListener("keydown", (event) => this.key(event));
    this.count();
  }

  get text() { return this.area.value; }

  // As many numbers as there are lines; marks stay with their numbers.
  count() {
    const wanted = this.text.split("\n").length;
    while (this.gutter.childElementCount > wanted) this.gutter.lastElementChild.remove();
    const more = Array.from({length: wanted - this.gutter.childElementCount},
      () => document.createElement("li"));
    this.gutter.append(...more);
    this.gutter.scrollTop = this.area.scrollTop;
  }

  mark(problems) {
    for (const item of this.gutter.children) {
      item.className = "";
      item.removeAttribute("title");
    }
    for (const {line, level, message} of problems) {
      const item = this.gutter.children[line - 1];
      if (!item) continue;
      if (item.className !== "error") item.className = level;
      item.title = item.title ? `${item.title}\n${message}` : message;
    }
    this.area.setAttribute("aria-invalid", String(problems.some(({level}) => level === "error")));
  }

  select(line, column) {
    const lines = this.text.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const at = before + Math.min(column - 1, (lines[line - 1] ?? "").length);
    this.area.focus();
    this.area.setSelectionRange(at, at);
    const height = parseFloat(getComputedStyle(this.area).lineHeight);
    this.area.scrollTop = Math.max(0, (line - 1) * height - this.area.clientHeight / 2);
  }

  // execCommand keeps the undo history, as no other way does.
  insert(text) { document.execCommand("insertText", false, text); }

  key(event) {
    if (event.key === "Escape") {
      this.escaped = true; // Escape, then Tab leaves the field: nobody is trapped in it
      return;
    }
    const escaped = this.escaped;
    this.escaped = false;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) this.newLine(event);
    else if (event.key === "Tab" && !escaped) this.tab(event);
  }

  // A new line begins as deep as the last one, and deeper after a colon.
  newLine(event) {
    const {selectionStart: at, value} = this.area;
    const line = value.slice(value.lastIndexOf("\n", at - 1) + 1, at);
    const depth = /^[ \t]*/.exec(line)[0] + (/:\s*(#.*)?$/.test(line) ? INDENT : "");
    if (!depth) return;
    event.preventDefault();
    this.insert(`\n${depth}`);
  }

  tab(event) {
    const {selectionStart: start, selectionEnd: end, value} = this.area;
    event.preventDefault();
    if (!event.shiftKey && !value.slice(start, end).includes("\n")) {
      const column = start - (value.lastIndexOf("\n", start - 1) + 1);
      this.insert(INDENT.slice(column % INDENT.length));
      return;
    }
    const from = value.lastIndexOf("\n", start - 1) + 1;
    const old = value.slice(from, end);
    const changed = old.split("\n").map((line) => event.shiftKey ? line.replace(/^( {1,4}|\t)/, "")
      : line && INDENT + line).join("\n");
    if (changed === old) return;
    this.area.setSelectionRange(from, end);
    if (changed) this.insert(changed);
    else document.execCommand("delete");
    this.area.setSelectionRange(start === end ? this.area.selectionEnd : from,
      from + changed.length);
  }
}

// -- problems -----------------------------------------------------------------------------------

function listItem({line, column, message, level}, text) {
  const item = document.createElement("li");
  item.className = level;
  Object.assign(item.dataset, {line, column, level});
  const name = document.createElement("strong");
  name.textContent = LEVELS[level];
  item.append(name);
  if (line) {
    const link = document.createElement("a");
    link.href = "#script";
    link.textContent = gettext("line %(line)s, column %(column)s", {line, column});
    item.append(" ", link);
  }
  item.append(`: ${message}`);
  const source = text.split("\n")[line - 1];
  if (source !== undefined) {
    const code = document.createElement("pre");
    code.append(Object.assign(document.createElement("code"), {textContent: source}));
    item.append(code);
  }
  return item;
}

function showProblems(box, problems, text) {
  const list = document.createElement("ol");
  list.append(...problems.map((problem) => listItem(problem, text)));
  box.replaceChildren(...(problems.length ? [list] : []));
}

async function check(frame, script) {
  const answer = await tryJson(frame.dataset.check, {
    method: "POST",
    headers: {"Content-Type": "application/json",
      "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content},
    body: JSON.stringify({script, requirements: frame.dataset.requirements,
      module: frame.dataset.module === "true"}),
  });
  return answer?.problems; // the server checks again on save
}

// The text, rich where that is wanted and there.
async function viewOf(area, rich, onChange) {
  const view = await openRich(rich, {area, language: "python", label: gettext("Script"), onChange});
  if (view) return view;
  const plain = new TextView(area);
  plain.onChange = onChange;
  return plain;
}

async function start(frame) {
  const area = frame.querySelector("textarea");
  const box = document.getElementById("problems");
  const given = [...box.querySelectorAll("li")].map(({dataset, textContent}) => ({
    line: Number(dataset.line), column: Number(dataset.column), level: dataset.level,
    message: textContent.trim()}));
  let timer = 0;
  let broken; // what is wrong with the text as it is
  const view = await viewOf(area, frame.dataset.rich, () => {
    broken = undefined;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const text = view.text;
      const problems = await check(frame, text);
      if (!problems || view.text !== text) return;
      mark(problems);
      showProblems(box, problems, text);
    }, DELAY);
    if (area.hidden) area.form.dispatchEvent(new Event("input")); // typed elsewhere
  });
  const mark = (problems) => {
    view.mark(problems);
    broken = problems.find(({level}) => level === "error");
  };
  mark(given);
  if (broken?.line) view.select(broken.line, broken.column);
  box.addEventListener("click", (event) => {
    const item = event.target.closest("a")?.closest("li");
    if (!item) return;
    event.preventDefault();
    view.select(Number(item.dataset.line), Number(item.dataset.column));
  });
  area.form.addEventListener("submit", (event) => tryOut(event, broken, view));
}

// A trial goes to a tab of its own: what is typed here is still unsaved then, and what cannot run
// needs no tab.
function tryOut(event, broken, view) {
  if (!event.submitter?.formTarget) return;
  if (broken) {
    event.preventDefault();
    view.select(broken.line || 1, broken.column || 1);
  }
  setTimeout(() => event.target.dispatchEvent(new Event("input")));
}

for (const frame of document.querySelectorAll(".script-editor")) start(frame);
