// What scripts say, in the language of the page. Messages are English, as in Python and in
// templates: gettext("Attached %(name)s", {name}); docs/translating.md tells how they are translated.

import {tryJson} from "./asking.js";

const {lang, dataset} = document.documentElement;
const said = lang === "en" ? {} : await tryJson(dataset.catalogue) ?? {};

function filled(text, values) {
  return text.replace(/%(?:\((\w+)\)s|%)/g, (whole, name) => name ? values[name] : "%");
}

export function gettext(message, values = {}) {
  return filled(said[message] ?? message, values);
}

// The message for this number of things, which is %(num)s.
export function ngettext(one, many, number, values = {}) {
  const texts = said[one] ?? [one, many];
  return filled(texts[number === 1 ? 0 : 1], {num: number, ...values});
}
