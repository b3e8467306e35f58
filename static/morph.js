// Brings a part of the page up to date with a newer one from the server, touching only what is
// different: focus, ticked boxes, open details and scroll positions stay. Elements with a
// data-key are known again by it, wherever they have moved to; those with data-scripted are a
// script's own and stay where they are.

import {tryDocument} from "./asking.js";

const KEPT = new Set(["open"]); // what the reader has set

export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName) old.replaceWith(fresh);
  else if (old.nodeType !== Node.ELEMENT_NODE) old.nodeValue = fresh.nodeValue;
  else {
    morphAttributes(old, fresh);
    morphChildren(old, fresh);
  }
}

function morphAttributes(old, fresh) {
  for (const {name, value} of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const {name} of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  }
}

// The node, or the first one behind it that the server made.
function served(node) {
  while (node?.dataset && "scripted" in node.dataset) node = node.nextSibling;
  return node;
}

export function morphChildren(old, fresh) {
  const keyed = new Map([...old.children].filter((child) => child.dataset.key)
    .map((child) => [child.dataset.key, child]));
  let place = served(old.firstChild);
  for (const child of [...fresh.childNodes]) {
    const key = child.dataset?.key;
    const match = key ? keyed.get(key) : place && !place.dataset?.key ? place : null;
    if (match && match === place) place = served(place.nextSibling);
    else old.insertBefore(match ?? child, place);
    if (match) morph(match, child);
  }
  while (place) {
    const next = served(place.nextSibling);
    place.remove();
    place = next;
  }
}

// The element that `selector` finds in what the address answers; null where it cannot be had now.
export async function fetchPart(url, selector) {
  return (await tryDocument(url))?.querySelector(selector) ?? null;
}
