// The rich editor: CodeMirror, with the view of the text that the wiki's own modules ask for (the
// plain one is static/editor/area.js). `make vendor` makes static/vendor/codemirror of it.

import {acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap,
  startCompletion} from "@codemirror/autocomplete";
import {defaultKeymap, history, historyKeymap, indentWithTab} from "@codemirror/commands";
import {markdown, markdownLanguage} from "@codemirror/lang-markdown";
import {python} from "@codemirror/lang-python";
import {bracketMatching, HighlightStyle, indentOnInput, indentUnit, LanguageDescription,
  syntaxHighlighting, syntaxTree} from "@codemirror/language";
import {lintGutter, setDiagnostics} from "@codemirror/lint";
import {highlightSelectionMatches, search, searchKeymap} from "@codemirror/search";
import {EditorState} from "@codemirror/state";
import {Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter,
  keymap, lineNumbers, MatchDecorator, ViewPlugin} from "@codemirror/view";
import {tags} from "@lezer/highlight";

const theme = EditorView.theme({
  "&": {backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)",
    borderRadius: "0 0 var(--radius) var(--radius)", fontSize: ".9rem"},
  "&.cm-focused": {outline: "2px solid var(--focus)", outlineOffset: "-1px"},
  ".cm-scroller": {fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto"},
  ".cm-content": {padding: ".7rem 0", caretColor: "var(--ink)"},
  ".cm-line": {padding: "0 .9rem"},
  ".cm-cursor": {borderLeftColor: "var(--ink)"},
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    {backgroundColor: "var(--mark) !important"},
  ".cm-activeLine, .cm-activeLineGutter": {backgroundColor: "color-mix(in srgb, var(--sunken) 60%, transparent)"},
  ".cm-gutters": {backgroundColor: "var(--sunken)", color: "var(--faint)", borderRight: "1px solid var(--line)"},
  ".cm-tooltip": {backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)",
    borderRadius: "var(--radius)", boxShadow: "var(--shadow)", overflow: "hidden"},
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {fontFamily: "var(--mono)", fontSize: ".85rem", maxHeight: "17rem"},
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {padding: ".2rem .6rem"},
  ".cm-tooltip-autocomplete ul li[aria-selected]": {backgroundColor: "var(--accent)", color: "var(--accent-ink)"},
  // It answers an older text, and nothing of it can be taken.
  ".cm-tooltip-autocomplete-disabled": {visibility: "hidden"},
  ".cm-completionDetail": {fontStyle: "normal", opacity: ".75", fontFamily: "var(--sans)"},
  ".cm-completionInfo": {fontFamily: "var(--sans)", fontSize: ".85rem", padding: ".4rem .7rem"},
  ".cm-panels": {backgroundColor: "var(--sunken)", color: "var(--ink)"},
  ".cm-macro": {color: "var(--accent)", fontWeight: "600"},
  ".cm-wikilink": {color: "var(--link)"},
});

const colours = HighlightStyle.define([
  {tag: tags.heading, fontWeight: "700", color: "var(--ink)"},
  {tag: tags.heading1, fontSize: "1.25em"},
  {tag: tags.heading2, fontSize: "1.12em"},
  {tag: tags.strong, fontWeight: "700"},
  {tag: tags.emphasis, fontStyle: "italic"},
  {tag: tags.strikethrough, textDecoration: "line-through"},
  {tag: [tags.link, tags.url], color: "var(--link)"},
  {tag: [tags.monospace, tags.string], color: "var(--success)"},
  {tag: [tags.quote, tags.comment], color: "var(--faint)", fontStyle: "italic"},
  {tag: [tags.processingInstruction, tags.contentSeparator, tags.meta], color: "var(--faint)"},
  {tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--info)", fontWeight: "600"},
  {tag: [tags.number, tags.bool, tags.null], color: "var(--warning)"},
  {tag: [tags.function(tags.definition(tags.variableName)), tags.className], color: "var(--accent)"},
  {tag: tags.invalid, color: "var(--error)"},
]);

// Macros and wiki links, which Markdown knows nothing of; in code they are none.
const WIKI = /(?<!~)<<\/?[A-Za-z][\w-]*(?:\s+[\w-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))?)*\s*\/?>>|\[\[[^[\]\n]+\]\]/g;
const marks = {"<": Decoration.mark({class: "cm-macro"}), "[": Decoration.mark({class: "cm-wikilink"})};
const matcher = new MatchDecorator({
  regexp: WIKI,
  decorate(add, from, to, [text], view) {
    const node = syntaxTree(view.state).resolveInner(from, 1);
    for (let at = node; at; at = at.parent) if (/Code/.test(at.name)) return;
    add(from, to, marks[text[0]]);
  },
});
const wikiMarks = ViewPlugin.fromClass(class {
  constructor(view) { this.decorations = matcher.createDeco(view); }
  update(update) {
    // The tree says what is code, and it may be known later than the text.
    this.decorations = syntaxTree(update.state) === syntaxTree(update.startState)
      ? matcher.updateDeco(update, this.decorations) : matcher.createDeco(update.view);
  }
}, {decorations: (plugin) => plugin.decorations});

const languages = {
  markdown: () => [markdown({base: markdownLanguage, addKeymap: true, completeHTMLTags: false,
    codeLanguages: [LanguageDescription.of({name: "python", alias: ["py"], support: python()})]}),
  wikiMarks, EditorView.lineWrapping],
  python: () => [python(), lineNumbers(), highlightActiveLineGutter(), lintGutter(), indentOnInput(),
    bracketMatching(), closeBrackets(), keymap.of(closeBracketsKeymap)],
};

// An answer of static/editor/suggest.js; `narrow` tells what of it still fits as one types on.
function resultOf(found, narrow, {from, items} = found) {
  const options = items.map((item) => ({
    label: item.label, detail: item.detail, info: item.help?.replaceAll("`", "") || undefined,
    apply(view, completion, start, to) {
      const at = start + item.caret + (item.past ?? 0);
      view.dispatch({changes: {from: start, to, insert: item.insert}, selection: {anchor: at},
        userEvent: "input.complete"});
      if (item.again) startCompletion(view);
    },
  }));
  const update = (result, start, to, {state, pos}) => {
    const fewer = narrow(found, state.sliceDoc(0, pos));
    return fewer && resultOf(found, narrow, fewer);
  };
  return {from, options, filter: false, update};
}

// Completion as static/editor/suggest.js offers it.
function source(complete, narrow) {
  return async (context) => {
    const {doc} = context.state;
    const asking = new AbortController();
    context.addEventListener("abort", () => asking.abort(), {onDocChange: true});
    const found = await complete(doc.sliceString(0, context.pos), doc.sliceString(context.pos),
      asking.signal);
    return !found || context.aborted ? null : resultOf(found, narrow);
  };
}

// Opens an editor in place of a textarea, which stays, hidden, and always has the text.
// `complete(before, after, signal)` and `narrow(found, before)` as in static/editor/suggest.js;
// `onChange()` after each change.
export function open({area, language, label, nonce, complete, narrow, onChange}) {
  const extensions = [
    history(), indentUnit.of("    "), drawSelection(), search({top: true}), highlightSelectionMatches(), highlightActiveLine(),
    EditorView.cspNonce.of(nonce), theme, syntaxHighlighting(colours), languages[language](),
    EditorView.contentAttributes.of({"aria-label": label, tabindex: "0", spellcheck: String(area.spellcheck),
      ...(area.getAttribute("aria-describedby") && {"aria-describedby": area.getAttribute("aria-describedby")})}),
    autocompletion({icons: false, interactionDelay: 0, ...(complete && {override: [source(complete, narrow)]})}),
    keymap.of([{key: "Tab", run: acceptCompletion}, ...completionKeymap, ...searchKeymap,
      ...historyKeymap, ...defaultKeymap.filter(({key}) => key !== "Mod-i"), indentWithTab]),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      area.value = update.state.doc.toString();
      onChange();
    }),
  ];
  const view = new EditorView({state: EditorState.create({doc: area.value, extensions})});
  area.hidden = true;
  area.after(view.dom);
  for (const each of area.labels) each.addEventListener("click", () => view.focus());
  return new RichText(view);
}

class RichText {
  constructor(view) {
    this.view = view;
    this.dom = view.dom;
    this.scroller = view.scrollDOM;
  }

  get text() { return this.view.state.doc.toString(); }

  set text(insert) {
    this.view.dispatch({changes: {from: 0, to: this.view.state.doc.length, insert}});
  }

  get selection() {
    const {from, to} = this.view.state.selection.main;
    return {from, to};
  }

  // Puts `insert` in place of the text from `from` to `to`, and selects.
  replace({from, to, insert, anchor, head = anchor}) {
    this.view.dispatch({changes: {from, to, insert}, selection: {anchor, head}, scrollIntoView: true,
      userEvent: "input"});
  }

  select(line, column) {
    const {doc} = this.view.state;
    const there = doc.line(Math.min(Math.max(line, 1), doc.lines));
    this.view.dispatch({selection: {anchor: Math.min(there.from + column - 1, there.to)}, scrollIntoView: true});
    this.focus();
  }

  mark(problems) {
    const {doc} = this.view.state;
    const diagnostics = problems.filter(({line}) => line >= 1 && line <= doc.lines).map((problem) => {
      const line = doc.line(problem.line);
      const from = Math.min(line.from + Math.max(problem.column - 1, 0), line.to);
      return {from, to: line.to, severity: problem.level === "error" ? "error" : "warning",
        message: problem.message};
    });
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
    this.view.contentDOM.setAttribute("aria-invalid", String(problems.some(({level}) => level === "error")));
  }

  focus() { this.view.focus(); }

  complete() { startCompletion(this.view); }

  // The number of the line at the top, counted from 0, with a fraction of what is scrolled off.
  get top() {
    const block = this.view.lineBlockAtHeight(this.scroller.scrollTop);
    return this.view.state.doc.lineAt(block.from).number - 1
      + (this.scroller.scrollTop - block.top) / (block.height || 1);
  }

  set top(line) {
    const {doc} = this.view.state;
    const number = Math.min(Math.floor(line), doc.lines - 1);
    const block = this.view.lineBlockAt(doc.line(number + 1).from);
    this.scroller.scrollTop = block.top + (line - number) * block.height;
  }
}
