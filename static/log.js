// Follows the logs on a page: every section.log[data-log][data-follow="true"].
//
// New lines come as server-sent events; where these do not get through, by asking each second.
// The view stays at the end until somebody scrolls up, and again once they are back there.

const API = "/api/v1/logs/";
const HEADER = /^\[[^\]]{10,30}\] ([A-Z]+) - /;
const MAX_LINES = 20000; // on the page; the log itself keeps them all
const EVERY = 1000;

class LogView {
  constructor(section) {
    this.section = section;
    this.pre = section.querySelector("pre");
    this.state = section.querySelector(".log-state");
    this.log = section.dataset.log;
    this.offset = Number(section.dataset.offset || 0);
    this.level = this.lastLevel();
    this.sticky = true;
    this.pre.addEventListener("scroll", () => {
      this.sticky = this.pre.scrollHeight - this.pre.scrollTop - this.pre.clientHeight < 40;
    }, {passive: true});
    this.toEnd();
  }

  url(rest, values) {
    return API + encodeURIComponent(this.log) + rest + "?" + new URLSearchParams(values);
  }

  lastLevel() {
    const last = this.pre.lastElementChild;
    return [...(last?.classList ?? [])].find((name) => name.startsWith("level-")) ?? "";
  }

  toEnd() {
    if (this.sticky) this.pre.scrollTop = this.pre.scrollHeight;
  }

  say(text, live) {
    if (this.state) this.state.textContent = text;
    this.section.dataset.live = String(live);
  }

  append(text) {
    if (text === "") return;
    this.section.querySelector(".empty")?.remove();
    const lines = document.createDocumentFragment();
    for (const line of text.replace(/\n$/, "").split("\n")) lines.append(this.line(line));
    this.pre.append(lines);
    while (this.sticky && this.pre.childElementCount > MAX_LINES) {
      this.pre.firstElementChild.remove();
    }
    this.toEnd();
  }

  line(text) {
    const header = HEADER.exec(text);
    if (header) this.level = `level-${header[1].toLowerCase()}`;
    const span = document.createElement("span");
    span.className = `line ${this.level}${header ? "" : " more"}`;
    span.textContent = `${text}\n`;
    return span;
  }

  clear() {
    this.pre.replaceChildren();
    this.level = "";
  }

  follow() {
    if (this.following) return;
    this.following = true;
    const source = new EventSource(this.url("/stream", {offset: this.offset}));
    let opened = false;
    source.addEventListener("open", () => {
      opened = true;
      this.say("live", true);
    });
    source.addEventListener("message", (event) => {
      this.offset = Number(event.lastEventId);
      this.append(event.data);
    });
    source.addEventListener("reset", () => {
      this.offset = 0;
      this.clear();
    });
    source.addEventListener("end", () => {
      source.close();
      this.following = false;
      this.say("", false);
    });
    source.addEventListener("error", () => {
      this.say("waiting for the server", false);
      if (opened) return; // it reconnects by itself, from the last event
      source.close();
      this.poll();
    });
    window.addEventListener("pagehide", () => source.close());
  }

  async poll() {
    for (;;) {
      try {
        const answer = await fetch(this.url("", {offset: this.offset, limit: 65536}));
        if (answer.status === 404) return;
        if (answer.ok) await this.take(answer);
      } catch {
        this.say("waiting for the server", false);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  async take(answer) {
    const start = Number(answer.headers.get("X-Log-Offset"));
    if (start < this.offset) this.clear(); // archived: it begins anew
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const whole = bytes.lastIndexOf(10) + 1; // a line is shown once all of it is there
    this.append(new TextDecoder().decode(bytes.subarray(0, whole)));
    this.offset = start + whole;
    this.say("live", true);
  }
}

for (const section of document.querySelectorAll("section.log[data-log]")) {
  if (!section.querySelector("pre")) continue;
  const view = new LogView(section);
  section.logView = view;
  if (section.dataset.follow === "true") view.follow();
}

// A log that came to its end goes on when its task does.
document.addEventListener("wikimill:task", (event) => {
  for (const section of document.querySelectorAll("section.log[data-follow=true]")) {
    if (section.dataset.log === `${event.detail.name}.log`) section.logView?.follow();
  }
});
