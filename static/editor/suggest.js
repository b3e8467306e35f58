// What can be completed at a place of a page's text: macros, pages after [[, and attachments
// after attach:. See macros.js for what is answered.

import {load, suggest} from "../macros.js";
import {gettext} from "../translate.js";

const PAGE = /\[\[(?:[^[\]\n]*>>)?([^[\]\n>#]*)$/;
const FILE = /(\[\[(?:[^[\]\n]*>>)?|\]\()attach:([^\]()\n<>]*)$/;
const MOST = 20;

const lineOf = (before) => before.slice(before.lastIndexOf("\n") + 1);
const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

// Where the textarea says to look.
export function sourcesOf(area) {
  return {macros: area.dataset.macros, pages: area.dataset.pages,
    files: JSON.parse(area.dataset.files ?? "[]")};
}

// The answer to what stands before and after the caret, or null.
// `signal` breaks the question off.
export async function completions(sources, before, after, signal) {
  const line = lineOf(before);
  const file = sources.files && line.match(FILE);
  if (file) return files(sources.files, before, after, file);
  const page = sources.pages && line.match(PAGE);
  if (page && !page[1].startsWith("attach:")) {
    return pages(sources.pages, before, after, page[1], signal);
  }
  if (!before.includes("<<")) return null;
  return suggest(await load(sources.macros), before, after);
}

// What of an answer fits still, now that more is typed behind it; null where it must be asked anew.
export function narrowed(found, before) {
  const typed = found.whole ? lineOf(before).match(PAGE)?.[1] : undefined;
  if (!typed?.startsWith(found.typed) || before.length - typed.length !== found.from) return null;
  const words = wordsOf(typed);
  const items = found.items.filter(({label, detail}) => {
    const text = `${label} ${detail}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return items.length ? {...found, items} : null;
}

function files(names, before, after, [, opening, typed]) {
  const end = opening === "](" ? ")" : "]]";
  const wanted = typed.toLowerCase();
  const items = names.filter((name) => name.toLowerCase().includes(wanted)).slice(0, MOST)
    .map((name) => closed(end === ")" ? name.replaceAll(" ", "%20") : name, name, "", after, end));
  return items.length ? {from: before.length - typed.length, items, label: gettext("Attachments")} : null;
}

async function pages(address, before, after, typed, signal) {
  const query = new URLSearchParams({q: typed, limit: MOST});
  const answer = await fetch(`${address}?${query}`, {headers: {Accept: "application/json"}, signal});
  if (!answer.ok) throw new Error(`the list of pages answered ${answer.status}`);
  const items = (await answer.json()).items.map(({reference, title}) =>
    closed(reference, reference, title ?? "", after, "]]"));
  return items.length ? {from: before.length - typed.length, items, label: gettext("Pages"),
    typed, whole: items.length < MOST} : null;
}

// An item that is put in with what ends it, where that is not there already.
function closed(text, label, detail, after, end) {
  return {label, detail, help: "", insert: after.startsWith(end) ? text : text + end,
    caret: text.length, past: end.length, again: false};
}
