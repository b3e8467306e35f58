// Uploads of many files, a few at a time, with a bar for each; dropped, pasted or chosen. Each
// goes by itself, as its bare bytes, and can be cancelled and tried again.
// Without this, the form works as a plain form.

import {tryDocument} from "./asking.js";
import {onDrop} from "./drop.js";
import {gettext, ngettext} from "./translate.js";

const AT_ONCE = 3;

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// One file's line: a bar, its state, and a button that cancels or tries again.
class Upload {
  constructor(uploads, file) {
    this.uploads = uploads;
    this.file = file;
    this.state = element("span", {className: "state", textContent: gettext("waits")});
    this.bar = element("progress", {max: 1, value: 0});
    this.bar.setAttribute("aria-label", gettext("Upload of %(name)s", {name: file.name}));
    this.button = element("button", {type: "button", className: "plain"});
    this.button.addEventListener("click", () => this.act());
    this.line = element("li", {}, element("span", {className: "name", textContent: file.name}),
      this.bar, this.state, this.button);
    this.offer(gettext("Cancel"), () => this.cancel());
  }

  offer(label, act) {
    this.button.textContent = label;
    this.button.setAttribute("aria-label", `${label}: ${this.file.name}`);
    this.act = act;
  }

  cancel() {
    this.request?.abort();
    this.uploads.waiting = this.uploads.waiting.filter((upload) => upload !== this);
    this.end(false, gettext("cancelled"));
  }

  retry() {
    this.line.classList.remove("failed");
    this.bar.value = 0;
    this.state.textContent = gettext("waits");
    this.offer(gettext("Cancel"), () => this.cancel());
    this.uploads.add(this);
  }

  end(good, message) {
    this.good = good;
    this.state.textContent = message;
    this.line.classList.toggle("failed", !good);
    if (good) {
      this.bar.value = this.bar.max;
      this.button.remove();
    } else {
      this.offer(gettext("Try again"), () => this.retry());
    }
  }

  send() {
    const {form, limit} = this.uploads;
    if (this.file.size > limit) {
      this.end(false, gettext("too large: %(size)s; at most %(most)s",
        {size: size(this.file.size), most: size(limit)}));
      return Promise.resolve();
    }
    this.state.textContent = "0 %";
    const request = this.request = new XMLHttpRequest();
    return new Promise((resolve) => {
      request.open("PUT", form.dataset.upload + encodeURIComponent(this.file.name.trim()));
      request.setRequestHeader("X-CSRF-Token", form.elements.form_token.value);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.addEventListener("progress", (event) => this.show(event));
      request.addEventListener("load", () => this.answered(request));
      request.addEventListener("error", () => this.end(false, gettext("the connection broke")));
      request.addEventListener("loadend", resolve);
      request.send(this.file);
    });
  }

  show({loaded, total}) {
    if (!total) return;
    this.bar.max = total;
    this.bar.value = loaded;
    this.state.textContent = loaded < total
      ? gettext("%(percent)s %% of %(size)s", {percent: Math.floor(100 * loaded / total), size: size(total)})
      : gettext("is being kept");
  }

  answered(request) {
    if (request.status === 201) this.end(true, gettext("attached"));
    else if (request.status === 200) this.end(true, gettext("attached as a new version"));
    else this.end(false, reason(request));
  }
}

function reason(request) {
  try {
    return JSON.parse(request.responseText).detail;
  } catch {
    return gettext("refused (%(status)s)", {status: request.status});
  }
}

class Uploads {
  constructor(form) {
    this.form = form;
    this.limit = Number(form.dataset.limit);
    this.list = form.querySelector(".uploads");
    this.news = form.querySelector(".upload-news");
    this.waiting = [];
    this.running = 0;
    this.done = [];
  }

  take(files) {
    for (const file of files) {
      const upload = new Upload(this, file);
      this.list.append(upload.line);
      this.add(upload);
    }
  }

  add(upload) {
    this.waiting.push(upload);
    this.next();
  }

  next() {
    while (this.running < AT_ONCE && this.waiting.length) this.run(this.waiting.shift());
  }

  async run(upload) {
    this.running += 1;
    await upload.send();
    this.running -= 1;
    this.done.push(upload);
    this.next();
    if (!this.running) await this.finish();
  }

  // What went well leaves the list for the table; what did not stays, with its reason.
  async finish() {
    const good = this.done.filter((upload) => upload.good);
    const bad = this.done.length - good.length;
    this.done = [];
    if (good.length && await this.refresh()) good.forEach((upload) => upload.line.remove());
    this.form.reset();
    this.news.textContent = bad
      ? gettext("%(good)s attached, %(bad)s not.", {good: good.length, bad})
      : ngettext("%(num)s file attached.", "%(num)s files attached.", good.length);
    this.news.classList.remove("visually-hidden");
  }

  // Whether the table shows what is attached now.
  async refresh() {
    const fresh = await tryDocument(this.form.action, {headers: {Accept: "text/html"}});
    if (!fresh) return false;
    for (const part of [".attachment-list", ".trail .tabs"]) {
      const there = document.querySelector(part);
      const made = fresh.querySelector(part);
      if (there && made) there.replaceWith(made);
    }
    return true;
  }
}

// The files of a paste, but none where text is typed.
function pasted(event) {
  return event.target.closest?.("input, textarea") ? [] : event.clipboardData?.files ?? [];
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  const uploads = new Uploads(form);
  const input = form.querySelector("input[type=file]");
  form.addEventListener("submit", (event) => {
    if (!input.files.length) return;
    event.preventDefault();
    uploads.take([...input.files]);
    input.value = "";
  });
  onDrop(form, (files) => uploads.take([...files]));
  document.addEventListener("paste", (event) => {
    const files = [...pasted(event)];
    if (!files.length) return;
    event.preventDefault();
    uploads.take(files);
  });
  addEventListener("beforeunload", (event) => {
    if (uploads.running) event.preventDefault();
  });
}
