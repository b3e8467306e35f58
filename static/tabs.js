// Makes tabs of the sections in each .tabset (see <<tabs>>): a click or the arrow keys choose one,
// and an address that ends in #id opens the one that holds the element of that id.

const panelsOf = (set) => [...set.children].filter((child) => child.matches("section.tab"));

// Also of one that was brought up to date, whose panels are as the server made them again.
function enhance(set) {
  const panels = panelsOf(set);
  let list = set.querySelector(":scope > [role=tablist]");
  const titled = set.querySelector(":scope > section.tab > .tab-title");
  if (!panels.length || (list?.childElementCount === panels.length && !titled)) return;
  list ??= makeList(set);
  panels.forEach((panel, at) => label(list.children[at] ?? addTab(list), panel));
  while (list.childElementCount > panels.length) list.lastElementChild.remove();
  const chosen = list.querySelector(":scope > [aria-selected=true]");
  choose(set, chosen ?? list.firstElementChild, false);
}

function makeList(set) {
  const list = document.createElement("div");
  list.setAttribute("role", "tablist");
  list.dataset.scripted = "";
  set.prepend(list);
  list.addEventListener("click", ({target}) => target.role === "tab" && choose(set, target, true));
  list.addEventListener("keydown", (event) => move(set, event));
  return list;
}

function addTab(list) {
  const tab = document.createElement("button");
  tab.type = "button";
  tab.setAttribute("role", "tab");
  list.append(tab);
  return tab;
}

function label(tab, panel) {
  const title = panel.querySelector(":scope > .tab-title");
  tab.setAttribute("aria-controls", panel.id);
  if (title) {
    tab.textContent = title.textContent;
    tab.id = title.id; // what the panel is labelled by
    title.remove();
  } else {
    tab.textContent ||= panel.id;
  }
  panel.setAttribute("role", "tabpanel");
  panel.tabIndex = 0;
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
  for (const {target, addedNodes} of changes) {
    const set = target.closest(".tabset");
    if (set) enhance(set);
    addedNodes.forEach(enhanceWithin);
  }
}).observe(document.body, {childList: true, subtree: true});
