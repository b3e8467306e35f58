// What every form for a text has: Ctrl+S saves, Tab indents code, and leaving with unsaved text
// asks. The editor of a page's text is more, see editor/main.js.

const pageForm = document.querySelector("form[data-preview]");
if (pageForm) import("./editor/main.js").then(({start}) => start(pageForm)).catch(console.warn);
else if (!document.querySelector("form[data-editor]")) import("./editor/drafts.js").then(({settle}) => settle()).catch(console.warn);

for (const form of document.querySelectorAll("form[data-editor]")) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  for (const kind of ["submit", "wikimill:leave"]) form.addEventListener(kind, () => { changed = false; });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector('button[name="action"][value="save"]'));
    }
  });
}

for (const area of document.querySelectorAll("textarea.code:not([readonly])")) {
  let escaped = false; // Escape, then Tab leaves the field: nobody is trapped in it
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") escaped = true;
    if (event.key !== "Tab" || event.shiftKey || event.ctrlKey || escaped) {
      if (event.key !== "Escape") escaped = false;
      return;
    }
    event.preventDefault();
    document.execCommand("insertText", false, "    "); // keeps the undo history, as no other way
  });
}

document.getElementById("preview")?.scrollIntoView({block: "nearest"});

for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
