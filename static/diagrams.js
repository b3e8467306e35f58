// Diagrams: draws what a ```mermaid fence says, where the library is there (`make vendor`).
//
// The library writes styles into its page, which the policy of ours forbids. So it runs in a frame
// that may do that and nothing else (web/diagrams.py), and the drawing is shown as a picture.
// Without script or library, the fence shows its code.

import {gettext} from "./translate.js";

const FRAME = "/diagrams";
const PATIENCE = 30; // seconds for the frame to answer
let drawn = 0;
let frame = null; // a promise of its window

async function draw() {
  for (const fence of document.querySelectorAll("pre.mermaid:not([data-drawn])")) {
    fence.dataset.drawn = "";
    await show(fence);
  }
}

async function show(fence) {
  const text = fence.textContent;
  try {
    const {svg, error} = await drawing(text);
    if (svg) fence.replaceWith(figure(svg, text));
    else fence.after(note(gettext("The diagram cannot be drawn: %(why)s", {why: error})));
  } catch (error) {
    fence.after(note(gettext("The diagram is not drawn: %(why)s", {why: error.message})));
  }
}

async function drawing(text) {
  frame ??= open();
  const target = await frame;
  const id = ++drawn;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const answer = hear(target, (said) => said.id === id);
  target.postMessage({id, text, dark}, "*"); // a frame in a sandbox has no origin to name
  return answer;
}

async function open() {
  const element = document.createElement("iframe");
  element.className = "diagram-frame";
  element.tabIndex = -1;
  element.ariaHidden = "true";
  element.src = FRAME;
  document.body.append(element);
  await hear(element.contentWindow, (said) => said.ready);
  return element.contentWindow;
}

// The first message of the window that is wanted.
function hear(source, wanted) {
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(timer);
      removeEventListener("message", listener);
      settle(value);
    };
    const listener = (event) => {
      if (event.source === source && wanted(event.data)) end(resolve, event.data);
    };
    const timer = setTimeout(() => end(reject, new Error(gettext("the library does not answer"))),
      PATIENCE * 1000);
    addEventListener("message", listener);
  });
}

function figure(svg, text) {
  const element = document.createElement("figure");
  const picture = new Image();
  element.className = "diagram";
  picture.alt = text;
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(sized(svg))}`;
  element.append(picture);
  return element;
}

function note(text) {
  const element = document.createElement("p");
  element.className = "box error";
  element.textContent = text;
  return element;
}

// A picture needs a size of its own; the drawing has it in its view box.
function sized(svg) {
  const [, width, height] = svg.match(/viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/) ?? [];
  return width ? svg.replace(/<svg([^>]*?) width="[^"]*"/,
    `<svg$1 width="${width}" height="${height}"`) : svg;
}

draw();
// The editor's preview is another text each time.
document.addEventListener("wikimill:text", draw);
