// The fields for code and Markdown in a form of objects: rich where the bundle is there.

import {openRich} from "./editor/rich.js";

for (const form of document.querySelectorAll("form[data-rich]")) {
  for (const area of form.querySelectorAll("textarea[data-language]")) {
    openRich(form.dataset.rich, {area, language: area.dataset.language,
      label: area.labels[0]?.firstChild.textContent.trim() ?? area.name,
      onChange: () => form.dispatchEvent(new Event("input"))});
  }
}
