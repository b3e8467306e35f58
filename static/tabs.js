// Makes tabs of the sections in each .tabset (see <<tabs>>): a click or the arrow keys choose one,
// and an address that ends in #id opens the one that holds the element of that id.

const panelsOf = (set) => [...set.children].filter((child) => child.matches("section.tab"));

function enhance(set) {
  const panels = panelsOf(set);
  if (set.querySelector(":scope > [role=tablist]") || !panels.length) return;
  const list = document.createElement("div");
  list.setAttribute("role", "tablist");
  list.append(...panels.map(tabFor));
  set.prepend(list);
  list.addEventListener("click", ({target}) => target.role === "tab" && choose(set, target, true));
  list.addEventListener("keydown", (event) => move(set, event));
  choose(set, list.firstElementChild, false);
}

function tabFor(panel) {
  const title = panel.querySelector(":scope > .tab-title");
  const tab = document.createElement("button");
  tab.type = "button";
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", panel.id);
  tab.textContent = title?.textContent ?? panel.id;
  if (title) {
    tab.id = title.id; // what the panel is labelled by
    title.remove();
  }
  panel.setAttribute("role", "tabpanel");
  panel.tabIndex = 0;
  return tab;
}

function choose(set, chosen, byReader) {
  for (const tab of chosen.parentElement.children) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
  }
  const shown = chosen.getAttribute("aria-controls");
  for (const panel of panelsOf(set)) panel.hidden = panel.id !== shown;
  if (byReader) history.replaceState(history.state, "", `#${shown}`);
}

function move(set, event) {
  const tabs = [...event.currentTarget.children];
  const place = tabs.indexOf(document.activeElement);
  const next = {ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1}[event.key];
  if (place < 0 || next === undefined) return;
  event.preventDefault();
  const tab = tabs.at(next % tabs.length);
  choose(set, tab, true);
  tab.focus();
}

// Opens the tabs round what the address names, the outermost first.
function openAddressed() {
  const name = decodeURIComponent(location.hash.slice(1));
  const element = name && document.getElementById(name);
  if (!element) return;
  for (let panel = element.closest("section.tab"); panel; panel = panel.parentElement.closest("section.tab")) {
    const tab = [...panel.parentElement.querySelectorAll(":scope > [role=tablist] > [role=tab]")]
      .find((each) => each.getAttribute("aria-controls") === panel.id);
    if (tab) choose(panel.parentElement, tab, false);
  }
  element.scrollIntoView();
}

function enhanceWithin(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  for (const set of [node, ...node.querySelectorAll(".tabset")]) {
    if (set.matches(".tabset")) enhance(set);
  }
}

enhanceWithin(document.body);
openAddressed();
addEventListener("hashchange", openAddressed);
// Parts of a page are put in place of others while it is open.
new MutationObserver((changes) => {
  for (const {addedNodes} of changes) addedNodes.forEach(enhanceWithin);
}).observe(document.body, {childList: true, subtree: true});
