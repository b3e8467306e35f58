// Shows <time class="local" datetime="..."> in the reader's own zone; the zone's name and the time
// as the server wrote it are in the tooltip.

const TIMES = "time.local[datetime]";
const format = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "medium"});
const zone = format.resolvedOptions().timeZone;

function show(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const text = format.format(moment);
  if (element.textContent === text) return;
  element.title = `${zone}; ${element.textContent}`;
  element.textContent = text;
}

function showWithin(node) {
  if (node.nodeType === Node.ELEMENT_NODE && node.matches(TIMES)) show(node);
  else node.querySelectorAll?.(TIMES).forEach(show);
}

showWithin(document);
// Parts of a page are put in place of others while it is open.
new MutationObserver((changes) => {
  for (const {target, addedNodes} of changes) {
    if (target.matches(TIMES)) show(target);
    else addedNodes.forEach(showWithin);
  }
}).observe(document.body, {childList: true, subtree: true});
