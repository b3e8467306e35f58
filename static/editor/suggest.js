// What can be completed at a place of a page's text: macros, pages after [[, and attachments
// after attach:, each also before a letter is typed. See macros.js for what is answered.

import {load, suggest} from "../macros.js";
import {recentOf} from "../recent.js";
import {gettext} from "../translate.js";

const PAGE = /\[\[(?:[^[\]\n]*>>)?([^[\]\n>#]*)$/;
const FILE = /(\[\[(?:[^[\]\n]*>>)?|\]\()attach:([^\]()\n<>]*)$/;
const MOST = 20;

const lineOf = (before) => before.slice(before.lastIndexOf("\n") + 1);
const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

// Where the textarea says to look.
export function sourcesOf(area) {
  const {macros, pages, near, files = "[]"} = area.dataset;
  const {page, user} = area.form?.dataset ?? {};
  return {macros, pages, near, page, user, files: JSON.parse(files)};
}

// The answer to what stands before and after the caret, or null.
// `signal` breaks the question off.
export async function completions(sources, before, after, signal) {
  const line = lineOf(before);
  const file = sources.files && line.match(FILE);
  if (file) return files(sources.files, before, after, file);
  const page = sources.pages && line.match(PAGE);
  if (page && !page[1].startsWith("attach:")) {
    return pages(sources, before, after, page[1], signal);
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

async function pages(sources, before, after, typed, signal) {
  const query = new URLSearchParams({q: typed, limit: MOST});
  const found = typed || !sources.near ? await list(`${sources.pages}?${query}`, signal)
    : await near(sources, signal);
  const items = found.map(({reference, title}) =>
    closed(reference, reference, title ?? "", after, "]]"));
  // What is near is not all that a letter more can find.
  return items.length ? {from: before.length - typed.length, items, label: gettext("Pages"),
    typed, whole: Boolean(typed) && items.length < MOST} : null;
}

async function list(address, signal) {
  const answer = await fetch(address, {headers: {Accept: "application/json"}, signal});
  if (!answer.ok) throw new Error(`the list of pages answered ${answer.status}`);
  return (await answer.json()).items;
}

// Before a letter is typed: the pages of this one's space, the last changed first, then those
// that were read lately.
async function near({near: address, page, user}, signal) {
  const all = [...await list(address, signal), ...recentOf(user)];
  const known = new Map(all.map((one) => [one.reference, one]));
  known.delete(page);
  return [...known.values()].slice(0, MOST);
}

// An item that is put in with what ends it, where that is not there already.
function closed(text, label, detail, after, end) {
  return {label, detail, help: "", insert: after.startsWith(end) ? text : text + end,
    caret: text.length, past: end.length, again: false};
}
