// The import wizard: a file that is dropped is sent at once; the values of a list are asked for
// only where a column becomes one. Without this, everything works as plain forms.

import {onDrop} from "./drop.js";

for (const form of document.querySelectorAll("form[data-import]")) {
  const input = form.querySelector("input[type=file]");
  onDrop(form, (files) => {
    input.files = files;
    form.requestSubmit();
  });
}

for (const select of document.querySelectorAll(".import-columns select[name$='.kind']")) {
  const values = select.parentElement.querySelector(".import-values");
  const show = () => { values.hidden = select.value !== "StaticList"; };
  select.addEventListener("change", show);
  show();
}
