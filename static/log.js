// Makes the logs on a page live: every section.log[data-log].
//
// New lines come as server-sent events; where these do not get through, by asking each second.
// The view stays at the end until somebody scrolls up, and again once they are back there; it
// loads what is older, or newer, where one scrolls to. All lines come from the server as HTML.

import {gettext} from "./translate.js";

const API = "/api/v1/logs/";
const MAX_LINES = 20000; // on the page; the log itself keeps them all
const EVERY = 1000;
const POLL_FOR = 30000; // then the server is asked again to send lines as they come
const LINES = 200;
const NEAR = 40;
const ZONE = "wikimill.log.zone";

class LogView {
  constructor(section) {
    this.section = section;
    this.pre = section.querySelector("pre");
    this.state = section.querySelector(".log-state");
    this.log = section.dataset.log;
    this.offset = Number(section.dataset.offset);
    this.sizeText = section.querySelector(".log-size");
    this.known = Number(section.dataset.size);
    this.local = (localStorage.getItem(ZONE) ?? "local") === "local";
    this.sticky = section.dataset.follow === "true";
    this.addZoneButton();
    this.tell(this.pre);
    this.filterByBoxes();
    this.pre.addEventListener("scroll", () => this.scrolled(), {passive: true});
    this.pre.addEventListener("click", (event) => this.clicked(event));
    const here = this.pre.querySelector(".log-here");
    if (here) this.pre.scrollTop = here.offsetTop - this.pre.offsetTop - this.pre.clientHeight / 3;
    this.toEnd();
  }

  // How many bytes the log has, as far as is known; its head tells it.
  get size() {
    return this.known;
  }

  set size(bytes) {
    this.known = bytes;
    if (this.sizeText) {
      this.sizeText.textContent = gettext("%(num)s bytes", {num: bytes.toLocaleString("en")});
    }
  }

  url(rest, values) {
    return API + encodeURIComponent(this.log) + rest + "?" + new URLSearchParams(values);
  }

  async lines(values) {
    const mark = this.section.dataset.q;
    const answer = await fetch(this.url("", {...values, ...(mark && {mark}), format: "html"}));
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer;
  }

  say(text, live) {
    if (this.state) this.state.textContent = text;
    this.section.dataset.live = String(live);
  }

  // -- lines ------------------------------------------------------------------------------

  fragment(html) {
    const template = document.createElement("template");
    template.innerHTML = html; // the server escapes all that a log holds
    this.tell(template.content);
    return template.content;
  }

  append(html) {
    if (html === "") return;
    this.section.querySelector(".empty")?.remove();
    const level = levelOf(this.pre.lastElementChild);
    const lines = this.fragment(html);
    for (const line of lines.children) {
      if (levelOf(line)) break;
      if (level) line.classList.add(level); // the rest of a message whose header came before
    }
    this.pre.append(lines);
    while (this.sticky && this.pre.childElementCount > MAX_LINES) {
      this.pre.firstElementChild.remove();
    }
    this.toEnd();
    this.countHidden();
  }

  toEnd() {
    if (this.sticky) this.pre.scrollTop = this.pre.scrollHeight;
  }

  get start() {
    return Number(this.pre.querySelector(".line[id]")?.id.slice(1) ?? 0);
  }

  // The log was archived, and begins anew.
  beginAnew() {
    this.offset = this.size = 0;
    this.pre.replaceChildren();
  }

  // -- scrolling --------------------------------------------------------------------------

  scrolled() {
    const {scrollHeight, scrollTop, clientHeight} = this.pre;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    this.sticky = atEnd && this.offset >= this.size;
    if (scrollTop < NEAR && this.start > 0) this.load(() => this.older());
    else if (atEnd && this.offset < this.size) this.load(() => this.newer());
  }

  async load(what) {
    if (this.loading) return;
    this.loading = true;
    try {
      await what();
    } catch {
      this.say(gettext("the log cannot be read now"), false);
    }
    this.loading = false;
  }

  async older() {
    const answer = await this.lines({before: this.start, lines: LINES});
    const before = this.pre.scrollHeight;
    this.pre.querySelector(".log-skip")?.remove();
    this.pre.prepend(this.fragment(await answer.text()));
    this.pre.scrollTop += this.pre.scrollHeight - before;
    this.countHidden();
  }

  async newer() {
    const answer = await this.lines({offset: this.offset, lines: LINES});
    this.offset = Number(answer.headers.get("X-Log-End"));
    this.size = Number(answer.headers.get("X-Log-Size"));
    this.append(await answer.text());
  }

  async clicked(event) {
    const rest = event.target.closest("a.log-rest");
    if (!rest) return;
    event.preventDefault();
    const address = new URL(rest.href);
    await this.load(async () => {
      const answer = await this.lines(Object.fromEntries(address.searchParams));
      rest.closest(".line").replaceWith(this.fragment(await answer.text()));
    });
  }

  // -- levels and times -------------------------------------------------------------------

  filterByBoxes() {
    const boxes = [...this.section.querySelectorAll(".log-levels input")];
    this.section.querySelector(".log-levels button")?.remove();
    for (const box of boxes) {
      box.addEventListener("change", () => {
        this.section.dataset.hide = boxes.filter((one) => !one.checked)
          .map((one) => one.name).join(" ");
        this.countHidden();
        this.toEnd();
      });
    }
  }

  countHidden() {
    const hidden = this.section.dataset.hide.split(" ").filter((name) => name !== "fields");
    const picked = hidden.filter(Boolean).map((name) => `.level-${name}:not(.log-fields)`);
    const count = picked.length ? this.pre.querySelectorAll(picked.join()).length : 0;
    const words = count ? `${count.toLocaleString()} lines hidden` : "";
    const place = this.section.querySelector(".log-hidden");
    if (place && place.textContent !== words) place.textContent = words;
  }

  addZoneButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "log-zone";
    const label = () => { button.textContent = this.local ? gettext("Local time") : "UTC"; };
    button.title = gettext("Show times in UTC or in your zone");
    button.addEventListener("click", () => {
      this.local = !this.local;
      localStorage.setItem(ZONE, this.local ? "local" : "utc");
      label();
      this.tell(this.pre);
    });
    label();
    this.state?.before(button);
  }

  tell(node) {
    for (const time of node.querySelectorAll("time")) {
      time.textContent = this.local ? localTime(time.dateTime)
        : time.dateTime.replace("T", " ").replace("Z", "");
    }
  }

  // -- following --------------------------------------------------------------------------

  follow() {
    if (this.following) return;
    this.following = true;
    const source = new EventSource(this.url("/stream", {offset: this.offset, format: "html"}));
    let opened = false;
    source.addEventListener("open", () => {
      opened = true;
      this.say(gettext("live"), true);
    });
    source.addEventListener("message", (event) => {
      this.offset = this.size = Number(event.lastEventId);
      this.append(event.data);
    });
    source.addEventListener("skip", (event) => this.skip(Number(event.data), event.lastEventId));
    source.addEventListener("reset", () => this.beginAnew());
    source.addEventListener("end", () => {
      source.close();
      this.following = false;
      this.say("", false);
    });
    source.addEventListener("error", () => {
      this.say(gettext("waiting for the server"), false);
      // It reconnects by itself, from the last event, unless it never got through or was refused.
      if (opened && source.readyState !== EventSource.CLOSED) return;
      source.close();
      this.poll();
    });
    window.addEventListener("pagehide", () => {
      if (source.readyState === EventSource.CLOSED) return;
      source.close();
      this.following = false;
    });
  }

  skip(from, to) {
    const line = document.createElement("span");
    line.className = "line log-skip";
    const bytes = (Number(to) - from).toLocaleString();
    line.textContent = `… ${bytes} bytes came faster than they can be shown; scroll up, or download\n`;
    this.pre.replaceChildren(line);
    this.offset = this.size = Number(to);
  }

  async poll() {
    const end = performance.now() + POLL_FOR;
    while (performance.now() < end) {
      try {
        do await this.ask(); while (this.offset < this.size);
        this.say(gettext("live"), true);
      } catch (error) {
        if (error.message === "404") return;
        this.say(gettext("waiting for the server"), false);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
    this.following = false;
    this.follow();
  }

  async ask() {
    const answer = await this.lines({offset: this.offset, lines: LINES});
    if (Number(answer.headers.get("X-Log-Offset")) < this.offset) {
      this.beginAnew();
      return;
    }
    this.append(await answer.text());
    this.offset = Number(answer.headers.get("X-Log-End"));
    this.size = Number(answer.headers.get("X-Log-Size"));
  }
}

function levelOf(line) {
  return [...(line?.classList ?? [])].find((name) => name.startsWith("level-")) ?? "";
}

function localTime(iso) {
  const moment = new Date(iso);
  const two = (number, digits = 2) => String(number).padStart(digits, "0");
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  const hour = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map((n) => two(n));
  return `${day} ${hour.join(":")}.${two(moment.getMilliseconds(), 3)}`;
}

for (const section of document.querySelectorAll("section.log[data-log]")) {
  if (!section.querySelector("pre")) continue;
  const view = new LogView(section);
  section.logView = view;
  if (section.dataset.follow === "true") view.follow();
}

// A page that is shown again as it was left.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const section of document.querySelectorAll("section.log[data-follow=true]")) {
    section.logView?.follow();
  }
});

// A log that came to its end goes on when its task does.
document.addEventListener("wikimill:task", (event) => {
  for (const section of document.querySelectorAll("section.log[data-follow=true]")) {
    if (section.dataset.log === `${event.detail.name}.log`) section.logView?.follow();
  }
});
