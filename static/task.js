// Keeps what shows a task up to date: elements with data-task="Space.Name" (see <<taskprogress>>).
//
// While a task waits or runs it is asked for each second. When its status changes, the text of
// the page is fetched anew and put in place of the old; its logs stay as they are, and go on.

const EVERY = 1000;
const SELDOM = 10000;
const MOVING = new Set(["READY", "RUNNING"]);
const pageTitle = document.title;

const elementsOf = (name) =>
  [...document.querySelectorAll("[data-task]")].filter((item) => item.dataset.task === name);

const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

function showStatus(element, status) {
  element.dataset.status = status;
  const badge = element.querySelector(".badge.status");
  if (!badge || badge.textContent === status) return;
  badge.textContent = status;
  badge.className = `badge status ${status.toLowerCase()}`;
}

function showProgress(element, progress, status) {
  const bar = element.querySelector("progress");
  const text = element.querySelector(".progress-text");
  if (bar) {
    bar.hidden = !progress && status !== "RUNNING";
    if (progress?.percent != null) bar.value = progress.percent;
    else if (status === "RUNNING") bar.removeAttribute("value");
  }
  if (text) text.textContent = progress ? describe(progress) : "";
}

function describe(progress) {
  const parts = [];
  if (progress.percent != null) parts.push(`${Math.floor(progress.percent)} %`);
  if (progress.total) parts.push(`${progress.done} of ${progress.total}`);
  else if (progress.done) parts.push(String(progress.done));
  if (progress.message) parts.push(progress.message);
  if (progress.remaining > 1) parts.push(`${Math.round(progress.remaining)} s left`);
  return parts.join(" · ");
}

function showTitle(status, percent) {
  const running = status === "RUNNING" && percent != null;
  document.title = `${running ? `${Math.floor(percent)} %` : status} · ${pageTitle}`;
}

async function ask(name) {
  const answer = await fetch(`/api/v1/tasks/${encodeURIComponent(name)}`,
    {headers: {Accept: "application/json"}});
  return answer.ok ? answer.json() : null;
}

async function follow(name) {
  let status = elementsOf(name)[0]?.dataset.status;
  for (;;) {
    await wait(MOVING.has(status) ? EVERY : SELDOM);
    if (document.hidden) continue;
    const task = await ask(name).catch(() => null); // the server may be away, and come back
    if (!task) continue;
    const changed = task.status !== status;
    status = task.status;
    if (changed) await refresh();
    for (const element of elementsOf(name)) {
      showStatus(element, status);
      showProgress(element, task.progress, status);
    }
    if (changed || MOVING.has(status)) showTitle(status, task.progress?.percent);
    if (changed) {
      document.dispatchEvent(new CustomEvent("wikimill:task", {detail: {name, status}}));
    }
  }
}

// Put the page's text as it is now in place of the old, unless somebody is typing in it.
async function refresh() {
  const article = document.querySelector("article.content");
  if (!article || article.contains(document.activeElement)
      && document.activeElement.matches("input, textarea, select")) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html")
    .querySelector("article.content");
  if (!fresh) return;
  const kept = new Map([...article.querySelectorAll("section.log[data-log]")]
    .map((section) => [section.dataset.log, section]));
  for (const section of fresh.querySelectorAll("section.log[data-log]")) {
    const old = kept.get(section.dataset.log);
    if (old) section.replaceWith(old);
  }
  article.replaceChildren(...fresh.childNodes);
  for (const section of kept.values()) section.logView?.toEnd();
}

for (const name of new Set([...document.querySelectorAll("[data-task]")]
  .map((element) => element.dataset.task))) {
  follow(name);
}
