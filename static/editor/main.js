// The editor of a page's text: puts the view of the text, its toolbar, preview, drafts and files
// together.

import {PlainText} from "./area.js";
import {Attaching} from "./attach.js";
import {Drafts} from "./drafts.js";
import {watch} from "./presence.js";
import {Preview} from "./preview.js";
import {openRich, prefersPlain, setPlain} from "./rich.js";
import {completions, narrowed, sourcesOf} from "./suggest.js";
import {Toolbar} from "./toolbar.js";
import {gettext} from "../translate.js";

export async function start(form) {
  const area = form.querySelector("#content");
  const sources = sourcesOf(area);
  let change = () => {};
  const view = await openRich(form.dataset.rich, {
    area, language: "markdown", label: gettext("Content"),
    complete: (...asked) => completions(sources, ...asked).catch(() => null),
    narrow: narrowed,
    onChange: () => form.dispatchEvent(new Event("input")),
  }) ?? new PlainText(area, () => {});
  if (view.dom !== area && area.autofocus) view.focus();
  form.addEventListener("input", () => change());
  const toolbar = new Toolbar(view);
  view.dom.before(toolbar.dom);
  const say = (text) => toolbar.say(text);
  const attaching = new Attaching(form, view, sources.files, say);
  toolbar.add(gettext("Attach files"), gettext("Attach"), () => attaching.choose());
  const preview = new Preview(form, view);
  const drafts = new Drafts(form, view, say);
  const eye = toolbar.add(gettext("Preview"), gettext("Preview"), () => {
    eye.setAttribute("aria-pressed", String(preview.toggle()));
  }, "tool wide apart");
  eye.setAttribute("aria-pressed", String(preview.shown));
  if (form.dataset.rich) addSwitch(toolbar, drafts);
  change = () => {
    preview.change();
    drafts.change();
  };
  form.classList.add("enhanced");
  watch(form);
}

function addSwitch(toolbar, drafts) {
  const plain = prefersPlain();
  toolbar.add(plain ? gettext("Rich editor") : gettext("Plain text field"),
    plain ? gettext("Rich") : gettext("Plain"), () => {
    setPlain(!plain);
    drafts.keep({resumes: true});
    drafts.form.dispatchEvent(new CustomEvent("wikimill:leave"));
    location.reload();
  }, "tool wide");
}
