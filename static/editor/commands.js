// What the toolbar does to a text. Each command takes the text and the selection, {from, to}, and
// says what to put in place of what and what is selected then: {from, to, insert, anchor, head}.

import {gettext} from "../translate.js";

const TABLE = "| Column | Column |\n|---|---|\n| … | … |\n| … | … |\n";

// Puts marks round the selection, or takes them away.
const around = (mark, empty) => (text, {from, to}) => {
  const {length} = mark;
  if (text.slice(from - length, from) === mark && text.slice(to, to + length) === mark) {
    return {from: from - length, to: to + length, insert: text.slice(from, to),
      anchor: from - length, head: to - length};
  }
  const inner = text.slice(from, to) || empty;
  return {from, to, insert: mark + inner + mark, anchor: from + length, head: from + length + inner.length};
};

// Changes all lines that the selection touches.
const lines = (change) => (text, {from, to}) => {
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const next = text.indexOf("\n", Math.max(to - (to > from && text[to - 1] === "\n" ? 1 : 0), start));
  const end = next < 0 ? text.length : next;
  const insert = change(text.slice(start, end).split("\n")).join("\n");
  const at = start + insert.length;
  return {from: start, to: end, insert, anchor: from === to ? at : start, head: at};
};

// Begins each line with a mark; where all have it, takes it away.
const begun = (pattern, mark) => lines((all) => all.every((line) => pattern.test(line) || !line.trim())
  && all.some((line) => line.trim())
  ? all.map((line) => line.replace(pattern, ""))
  : all.map((line, at) => (all.length > 1 && !line.trim() ? line : mark(at) + line)));

function heading(all) {
  return all.map((line) => {
    const [, marks, rest] = line.match(/^(#{0,6})[ \t]*(.*)$/);
    const level = {0: 2, 1: 2, 2: 3, 3: 4}[marks.length] ?? 0;
    return level ? `${"#".repeat(level)} ${rest}` : rest;
  });
}

// A block of its own, with the lines before and after it free.
function block(text, {from, to}, insert, select = [0, 0]) {
  const before = text.slice(0, from);
  const gap = !before || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const after = text[to] === "\n" || to === text.length ? "" : "\n";
  const at = from + gap.length;
  return {from, to, insert: gap + insert + after, anchor: at + select[0], head: at + select[1]};
}

function code(text, selection) {
  const inner = text.slice(selection.from, selection.to);
  if (!inner.includes("\n")) return around("`", "code")(text, selection);
  const body = inner.endsWith("\n") ? inner : `${inner}\n`;
  return block(text, selection, `\`\`\`\n${body}\`\`\`\n`, [3, 3]);
}

function link(text, {from, to}) {
  const label = text.slice(from, to);
  if (/^https?:\/\/\S+$/.test(label)) {
    return {from, to, insert: `[text](${label})`, anchor: from + 1, head: from + 5};
  }
  const insert = label ? `[[${label}>>]]` : "[[]]";
  return {from, to, insert, anchor: from + insert.length - 2};
}

// `key` is a shortcut with Ctrl (or Cmd); `asks`: completion opens then.
export const COMMANDS = [
  {name: "bold", label: gettext("Bold"), sign: "B", key: "b", run: around("**", "bold")},
  {name: "italic", label: gettext("Italic"), sign: "I", key: "i", run: around("*", "italic")},
  {name: "strike", label: gettext("Strike through"), sign: "S", run: around("~~", "text")},
  {name: "heading", label: gettext("Heading"), sign: "H", key: "Shift+h", run: lines(heading), apart: true},
  {name: "list", label: gettext("List"), sign: "•", key: "Shift+8", run: begun(/^[-*+] (?!\[)/, () => "- ")},
  {name: "numbers", label: gettext("Numbered list"), sign: "1.", key: "Shift+7", run: begun(/^\d+[.)] /, (at) => `${at + 1}. `)},
  {name: "tasks", label: gettext("Task list"), sign: "☑", run: begun(/^- \[[ x]\] /, () => "- [ ] ")},
  {name: "quote", label: gettext("Quote"), sign: "❝", key: "Shift+9", run: begun(/^> ?/, () => "> ")},
  {name: "code", label: gettext("Code"), sign: "</>", key: "e", run: code, apart: true},
  {name: "link", label: gettext("Link to a page"), sign: "[[]]", key: "k", run: link, asks: true},
  {name: "table", label: gettext("Table"), sign: "▦", run: (text, at) => block(text, at, TABLE, [2, 8])},
  {name: "macro", label: gettext("Macro"), sign: "<<", run: (text, {from, to}) => (
    {from, to, insert: "<<", anchor: from + 2}), asks: true},
];
