// Before anything is drawn: whether the reader keeps the sidebar closed.
try {
  if (localStorage.getItem("wikimill.sidebar") === "closed") {
    document.documentElement.dataset.sidebar = "closed";
  }
} catch { /* storage is forbidden here: the sidebar is open then */ }
