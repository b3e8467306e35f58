// Scrolls a text and its preview together. Which line of the text a block of the preview comes
// from is told by the words that both begin with.

const BLOCKS = "h1, h2, h3, h4, h5, h6, p, li, tr, pre, dt, dd, blockquote, figure";
const BEGINNING = 24; // how many letters tell a block
const ENOUGH = 4; // of a line that is shorter than that

const letters = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

// The places that are known: [{line, top}], growing in both.
export function places(text, content, height) {
  const lines = text.split("\n").map((line) => letters(line));
  const origin = content.getBoundingClientRect().top;
  const found = [{line: 0, top: 0}];
  let at = 0;
  for (const block of content.querySelectorAll(BLOCKS)) {
    const key = letters(block.textContent.slice(0, 4 * BEGINNING)).slice(0, BEGINNING);
    if (!key) continue;
    const line = lines.findIndex((words, number) => number >= at && (words.startsWith(key)
      || (words.length >= ENOUGH && key.startsWith(words))));
    const top = block.getBoundingClientRect().top - origin;
    if (line < 0 || top < found.at(-1).top) continue;
    if (line > found.at(-1).line) found.push({line, top});
    at = line + 1;
  }
  return [...found, {line: lines.length, top: Math.max(height, found.at(-1).top)}];
}

// From one of `line` and `top` to the other, between the places that are known.
export function across(known, from, to, value) {
  const next = Math.max(1, known.findIndex((place) => place[from] > value));
  const [before, after] = [known[next - 1], known[next]];
  const share = (value - before[from]) / (after[from] - before[from] || 1);
  return before[to] + Math.min(1, share) * (after[to] - before[to]);
}

const atEnd = ({scrollTop, clientHeight, scrollHeight}) => scrollTop > 0
  && scrollTop + clientHeight >= scrollHeight - 2;

export class Alignment {
  constructor(view, pane, content) {
    Object.assign(this, {view, pane, content});
    this.follow(view.scroller, () => {
      pane.scrollTop = atEnd(view.scroller) ? pane.scrollHeight
        : across(this.known, "line", "top", view.top);
    });
    this.follow(pane, () => {
      if (atEnd(pane)) view.scroller.scrollTop = view.scroller.scrollHeight;
      else view.top = across(this.known, "top", "line", pane.scrollTop);
    });
  }

  // What one scrolls moves the other, and is not moved by it in turn.
  follow(element, move) {
    for (const kind of ["pointerenter", "wheel", "keydown", "touchstart", "focusin"]) {
      element.addEventListener(kind, () => { this.leader = element; }, {passive: true});
    }
    element.addEventListener("scroll", () => {
      if (this.leader === element && !this.pane.hidden) requestAnimationFrame(move);
    }, {passive: true});
  }

  get known() {
    this.places ??= places(this.view.text, this.content, this.content.scrollHeight);
    return this.places;
  }

  // The text or the preview has changed.
  forget() { this.places = null; }
}
