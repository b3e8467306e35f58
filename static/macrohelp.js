// The list of macros (see <<macros>>): a box that leaves only what fits what one types in it.

for (const help of document.querySelectorAll(".macro-help")) {
  const box = help.querySelector(".macro-find");
  if (!box) continue;
  box.hidden = false;
  const entries = [...help.querySelectorAll(".macro-entry")].map((entry) => ({
    entry, words: `${entry.dataset.macro} ${entry.dataset.words}`.toLowerCase(),
    link: help.querySelector(`.macro-names [data-macro="${CSS.escape(entry.dataset.macro)}"]`),
  }));
  box.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase().split(/\s+/);
    for (const {entry, words, link} of entries) {
      const out = !wanted.every((word) => words.includes(word));
      entry.hidden = out;
      if (link) link.hidden = out;
    }
    for (const group of help.querySelectorAll(".macro-group, .macro-names dl > div")) {
      group.hidden = !group.querySelector("[data-macro]:not([hidden])");
    }
  });
}
