// Drafts: what is typed is kept in this browser until it is saved, also over a closed tab. No
// field of an object is among it, only the page's own text and what stands around it.

import {gettext} from "../translate.js";

const PREFIX = "wikimill.draft:";
const DAYS = 30; // after which a draft is dropped
const DELAY = 700; // milliseconds
const FIELDS = ["content", "title", "parent", "tags", "comment"];

const keyOf = (form) => [PREFIX + form.dataset.user, form.dataset.page,
  form.elements.section?.value ?? ""].join(" ");

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null; // not ours, or of another time
  }
}

// Drops what is too old, and what was sent from a form and is saved now.
function clear(open) {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  for (const key of keys) {
    const draft = read(key);
    const old = !draft || Date.now() - draft.saved > DAYS * 86_400_000;
    if (old || (draft.sent && key !== open)) localStorage.removeItem(key);
  }
}

function ago(moment) {
  const minutes = Math.round((Date.now() - moment) / 60_000);
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang, {numeric: "auto"});
  if (minutes < 60) return minutes ? format.format(-minutes, "minute") : gettext("a moment ago");
  return minutes < 1440 ? format.format(-Math.round(minutes / 60), "hour")
    : format.format(-Math.round(minutes / 1440), "day");
}

export class Drafts {
  constructor(form, view, say) {
    Object.assign(this, {form, view, say, key: keyOf(form)});
    clear(this.key);
    const draft = read(this.key);
    const open = draft && !draft.sent && this.differs(draft);
    if (open && draft.resumes) this.restore(draft);
    else if (open) this.offer(draft);
    else localStorage.removeItem(this.key);
    form.addEventListener("submit", () => this.keep({sent: true}));
    addEventListener("pagehide", () => this.timer && this.keep());
  }

  differs({fields}) {
    return ["content", "title", "parent", "tags"].some((name) =>
      this.form.elements[name] && fields[name] !== undefined
      && fields[name] !== this.form.elements[name].value);
  }

  change() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.keep();
      this.say(gettext("Draft kept in this browser"));
    }, DELAY);
  }

  // `sent`: it is on its way to the server; `resumes`: the page is loaded anew to go on with it.
  keep(state = {}) {
    clearTimeout(this.timer);
    this.timer = 0;
    const {elements} = this.form;
    const fields = Object.fromEntries(FIELDS.filter((name) => elements[name])
      .map((name) => [name, elements[name].value]));
    try {
      localStorage.setItem(this.key, JSON.stringify(
        {fields, version: elements.version.value, saved: Date.now(), ...state}));
    } catch {
      this.say(gettext("This browser has no room for a draft"));
    }
  }

  offer(draft) {
    const box = document.createElement("div");
    box.className = "box info draft-offer";
    box.setAttribute("role", "status");
    const text = document.createElement("span");
    const older = draft.version !== this.form.elements.version.value;
    const time = ago(draft.saved);
    text.textContent = older
      ? gettext("You have an unsaved draft of %(time)s, of an older version of the page; what changed since is brought together when you save.", {time})
      : gettext("You have an unsaved draft of %(time)s.", {time});
    const restore = document.createElement("button");
    restore.type = "button";
    restore.textContent = gettext("Restore the draft");
    restore.addEventListener("click", () => {
      this.restore(draft);
      box.remove();
    });
    const discard = document.createElement("button");
    discard.type = "button";
    discard.className = "plain";
    discard.textContent = gettext("Discard it");
    discard.addEventListener("click", () => {
      localStorage.removeItem(this.key);
      for (const file of this.form.querySelectorAll("[name=held]")) file.checked = false;
      box.remove();
    });
    box.append(text, restore, " ", discard);
    this.form.parentElement.before(box);
  }

  // The draft with its version: saving it brings together what changed since.
  restore({fields, version}) {
    const {elements} = this.form;
    for (const name of FIELDS) {
      if (elements[name] && name !== "content" && fields[name] !== undefined) elements[name].value = fields[name];
    }
    elements.version.value = version;
    this.view.text = fields.content ?? "";
    this.view.focus();
  }
}

// A page without an editor: what was sent arrived.
export function settle() { clear(""); }
