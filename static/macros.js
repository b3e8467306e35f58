// What can be completed at a place of a text with macros. Nothing here touches the page, so that
// any editor can use it: load(url) -> macros; suggest(macros, text before, text after) ->
// {from, items, label} or null. An item is {label, detail, help, insert, caret, again}: `insert`
// takes the place of the text from `from` to the caret, the caret goes `caret` characters into
// it, and `again` says that there is more to choose then.

import {gettext} from "./translate.js";

const LONGEST = 5000; // how far back a macro that is being written may begin
const MOST = 100; // how many are offered
const NAME = "[A-Za-z][\\w-]*";
const VALUE = `"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'`;
const PARAMETERS = `(?:\\s+[A-Za-z_][\\w-]*(?:\\s*=\\s*(?:${VALUE}))?)*`;
const REST = new RegExp(`^${PARAMETERS}\\s*/?>>`, "s");
const CLOSING = new RegExp(`<</(${NAME})?$`);
const OPENING = new RegExp(`^<<(${NAME})?$`);
const PARAMETER = new RegExp(`^<<(${NAME})(${PARAMETERS})\\s+([A-Za-z_][\\w-]*)?$`, "s");
const GIVEN_VALUE = new RegExp(
  `^<<(${NAME})${PARAMETERS}\\s+([A-Za-z_][\\w-]*)\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)|'((?:[^'\\\\]|\\\\.)*))$`, "s");
const KEY = new RegExp(`([A-Za-z_][\\w-]*)(?:\\s*=\\s*(?:${VALUE}))?`, "gs");

const loading = new Map();

// The macros that a page can use; asked for once. A failure is not kept, so the next one asks.
export function load(url) {
  if (!loading.has(url)) {
    const asked = fetch(url, {headers: {Accept: "application/json"}}).then((response) => {
      if (!response.ok) throw new Error(`the list of macros answered ${response.status}`);
      return response.json();
    }).then((answer) => answer.items);
    asked.catch(() => loading.delete(url));
    loading.set(url, asked);
  }
  return loading.get(url);
}

// Whether the text ends within a code fence or a code span, where nothing is a macro.
function inCode(before) {
  let fence = "";
  for (const line of before.split("\n")) {
    const mark = line.match(/^[ \t>]*(`{3,}|~{3,})(.*)$/);
    if (!mark) continue;
    if (!fence) fence = mark[1];
    else if (mark[1].startsWith(fence) && !mark[2].trim()) fence = "";
  }
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return fence !== "" || (line.match(/`/g) ?? []).length % 2 === 1;
}

// Where a macro may begin that is not yet ended: the last << first.
function* openings(before) {
  const end = Math.max(0, before.length - LONGEST);
  for (let at = before.lastIndexOf("<<"); at >= end; at = before.lastIndexOf("<<", at - 1)) {
    if (before[at - 1] !== "~") yield at;
    if (at === 0) return;
  }
}

export function suggest(macros, before, after = "") {
  if (!before.slice(-LONGEST).includes("<<") || inCode(before)) return null;
  const closing = before.match(CLOSING);
  if (closing) return closings(before, closing, after);
  for (const at of openings(before)) {
    const text = before.slice(at);
    const found = names(macros, text, after) ?? parameters(macros, text, after)
      ?? values(macros, text, after);
    if (found) return found.items.length ? {...found, from: before.length - found.typed} : null;
  }
  return null;
}

function names(macros, text, after) {
  const match = text.match(OPENING);
  if (!match) return null;
  const typed = match[1] ?? "";
  const items = matching(macros, typed, (macro) => macro.name).map((macro) => {
    const [insert, caret] = written(macro, REST.test(after));
    return {label: macro.name, detail: macro.page ?? macro.package ?? "", help: macro.summary,
            insert, caret, again: insert[caret - 1] === '"' || insert[caret - 1] === " "};
  });
  return {typed: typed.length, items, label: gettext("Macros")};
}

// A macro as it is put into the text, and where the caret goes: into the first value that must
// be given, else among the parameters, else into the body, else behind it. Where the rest of the
// macro stands behind the caret already, only the name.
function written(macro, begun) {
  if (begun) return [macro.name, macro.name.length];
  const required = macro.parameters.filter((parameter) => parameter.required);
  const head = macro.name + required.map(({name}) => ` ${name}=""`).join("");
  const whole = macro.body === "none" ? `${head}/>>` : `${head}>><</${macro.name}>>`;
  if (required.length) return [whole, whole.indexOf('""') + 1];
  if (macro.body !== "none") return [whole, head.length + 2];
  return macro.parameters.length
    ? [`${head} />>`, head.length + 1] : [whole, whole.length];
}

function parameters(macros, text, after) {
  const match = text.match(PARAMETER);
  const macro = match && macros.find(({name}) => name === match[1]);
  if (!match) return null;
  const given = new Set([...match[2].matchAll(KEY)].map((found) => found[1]));
  const typed = match[3] ?? "";
  const free = (macro?.parameters ?? []).filter(({name}) => !given.has(name));
  const items = matching(free, typed, ({name}) => name).map((parameter) => ({
    label: parameter.name, detail: described(parameter), help: parameter.help,
    ...filled(parameter.name, after), again: true,
  }));
  return {typed: typed.length, items, label: gettext("Parameters of %(name)s", {name: match[1]})};
}

function filled(name, after) {
  if (/^\s*=/.test(after)) return {insert: name, caret: name.length};
  const space = /^[\w]/.test(after) ? " " : "";
  return {insert: `${name}=""${space}`, caret: name.length + 2};
}

function described({takes, required, default: usual}) {
  if (required) return gettext("%(takes)s, required", {takes});
  return usual === null || usual === "" ? takes : gettext("%(takes)s, else %(usual)s", {takes, usual});
}

function values(macros, text, after) {
  const match = text.match(GIVEN_VALUE);
  if (!match) return null;
  const parameter = macros.find(({name}) => name === match[1])?.parameters
    .find(({name}) => name === match[2]);
  const typed = match[3] ?? match[4];
  const quote = match[3] === undefined ? "'" : '"';
  const choices = parameter?.choices ?? [];
  const items = matching(choices, typed, (choice) => choice).map((choice) => {
    const insert = after.startsWith(quote) ? choice : choice + quote;
    return {label: choice, detail: String(parameter.default) === choice ? gettext("default") : "",
            help: "", insert, caret: choice.length, past: 1, again: false};
  });
  return {typed: typed.length, items, label: gettext("Values of %(name)s", {name: match[2]})};
}

// After <</ only the innermost macro that is open can be meant.
function closings(before, closing, after) {
  const text = before.slice(0, closing.index);
  const open = [];
  const token = new RegExp(`(~<<)|<</(${NAME})\\s*>>|<<(${NAME})${PARAMETERS}\\s*(/?)>>`, "gs");
  for (const [, escaped, closed, name, empty] of text.matchAll(token)) {
    if (escaped) continue;
    if (closed) open.splice(Math.max(0, open.lastIndexOf(closed)));
    else if (!empty) open.push(name);
  }
  const name = open.at(-1);
  const typed = closing[1] ?? "";
  if (!name || !name.startsWith(typed)) return null;
  const insert = after.startsWith(">>") ? name : `${name}>>`;
  return {from: before.length - typed.length, label: gettext("Macros"),
          items: [{label: `<</${name}>>`, detail: "", help: gettext("Ends the body"), insert,
                   caret: name.length, past: 2, again: false}]};
}

// Those that begin with what was typed, then those that hold it.
function matching(all, typed, nameOf) {
  const wanted = typed.toLowerCase();
  const place = (item) => nameOf(item).toLowerCase().indexOf(wanted);
  const found = all.filter((item) => place(item) >= 0);
  return [...found.filter((item) => place(item) === 0), ...found.filter((item) => place(item) > 0)]
    .slice(0, MOST);
}
