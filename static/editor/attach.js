// Files that are pasted into the text, dropped on it or chosen: each is attached to the page, and
// linked where the caret is, a picture shown. Of a page that is not there yet they wait on the
// server, and are ticked in the form for its first save.

import {onDrop} from "../drop.js";
import {gettext} from "../translate.js";

const PASTED = /^image\.\w+$/; // what browsers call a picture from the clipboard

function nameOf(file) {
  if (!PASTED.test(file.name)) return file.name;
  const moment = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return file.name.replace("image", `pasted-${moment}`);
}

function written(file, name) {
  if (!file.type.startsWith("image/")) return `[[attach:${name}]]`;
  const target = /[\s()]/.test(name) ? `<attach:${name}>` : `attach:${name}`;
  return `![${name.replace(/\.\w+$/, "").replace(/[[\]]/g, "")}](${target})`;
}

async function send(form, file, name) {
  const data = new FormData();
  data.append("file", file, name);
  const answer = await fetch(form.dataset.attach, {method: "POST", body: data,
    headers: {Accept: "application/json", "X-CSRF-Token": form.elements.form_token.value}});
  if (!answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(page.querySelector(".box.error")?.textContent.trim() ?? gettext("refused (%(status)s)", {status: answer.status}));
  }
  const {attached: [kept], held} = await answer.json();
  return {kept, held};
}

export class Attaching {
  // `files`: the names that completion offers; new ones are added.
  constructor(form, view, files, say) {
    Object.assign(this, {form, view, files, say});
    this.input = Object.assign(document.createElement("input"), {type: "file", multiple: true, hidden: true});
    this.input.addEventListener("change", () => {
      this.take(this.input.files);
      this.input.value = "";
    });
    view.dom.before(this.input);
    view.dom.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length || event.clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      event.stopPropagation();
      this.take(event.clipboardData.files);
    }, {capture: true});
    onDrop(view.dom, (dropped) => this.take(dropped));
  }

  choose() { this.input.click(); }

  async take(list) {
    for (const [at, file] of [...list].entries()) await this.attach(file, at ? "\n" : "");
  }

  // `apart`: what is put between this and what the caret stands behind.
  async attach(file, apart) {
    const name = nameOf(file);
    this.say(gettext("Attaching %(name)s…", {name}));
    try {
      const {kept, held} = await send(this.form, file, name);
      if (held) this.hold(kept);
      if (!this.files.includes(kept)) this.files.push(kept);
      const insert = apart + written(file, kept);
      const {from, to} = this.view.selection;
      this.view.replace({from, to, insert, anchor: from + insert.length});
      this.say(held ? gettext("%(name)s is attached when you save", {name: kept})
        : gettext("Attached %(name)s", {name: kept}));
    } catch (error) {
      this.say(gettext("%(name)s is not attached: %(why)s", {name, why: error.message}));
    }
  }

  // Ticks a file that waits for the first save.
  hold(name) {
    const list = this.form.querySelector(".held ul");
    let box = [...list.querySelectorAll("[name=held]")].find((one) => one.value === name);
    if (!box) {
      box = Object.assign(document.createElement("input"), {type: "checkbox", name: "held", value: name});
      const label = document.createElement("label");
      label.className = "check";
      label.append(box, ` ${name}`);
      const item = document.createElement("li");
      item.append(label);
      list.append(item);
    }
    box.checked = true;
    list.closest(".held").hidden = false;
  }
}
