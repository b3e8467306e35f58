// The text of a plain textarea, as the editor's other modules ask for it (the rich one is in
// static/src/codemirror.js).

export class PlainText {
  constructor(area, onChange) {
    this.area = area;
    this.dom = area;
    this.scroller = area;
    area.addEventListener("input", onChange);
  }

  get text() { return this.area.value; }

  set text(insert) {
    this.replace({from: 0, to: this.text.length, insert, anchor: 0});
  }

  get selection() { return {from: this.area.selectionStart, to: this.area.selectionEnd}; }

  replace({from, to, insert, anchor, head = anchor}) {
    const {area} = this;
    area.focus();
    area.setSelectionRange(from, to);
    // execCommand keeps the undo history, as no other way does.
    document.execCommand(insert ? "insertText" : "delete", false, insert);
    area.setSelectionRange(Math.min(anchor, head), Math.max(anchor, head));
  }

  focus() { this.area.focus(); }

  // complete.js listens.
  complete() { this.area.dispatchEvent(new CustomEvent("wikimill:complete")); }

  get top() {
    const tops = this.tops();
    const line = tops.findLastIndex((top) => top <= this.area.scrollTop);
    return line + (this.area.scrollTop - tops[line]) / (tops[line + 1] - tops[line] || 1);
  }

  set top(line) {
    const tops = this.tops();
    const number = Math.min(Math.floor(line), tops.length - 2);
    this.area.scrollTop = tops[number] + (line - number) * (tops[number + 1] - tops[number]);
  }

  // Where each line begins, in pixels, as far as can be told from its length: a textarea does
  // not say where it breaks its lines.
  tops() {
    const style = getComputedStyle(this.area);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = style.font;
    const columns = Math.max(1, Math.floor((this.area.clientWidth - parseFloat(style.paddingLeft)
      - parseFloat(style.paddingRight)) / pen.measureText("0").width));
    const tops = [0];
    for (const line of this.text.split("\n")) {
      tops.push(tops.at(-1) + Math.max(1, Math.ceil(line.length / columns)));
    }
    const scale = this.area.scrollHeight / tops.at(-1);
    return tops.map((top) => top * scale);
  }
}
