// Keeps what shows a task up to date while the task waits or runs.
//
// An element with data-task="Space.Name" may hold: a .badge (the status), a <progress>, and a
// .progress-text. When a run begins or ends, the page itself is loaded anew, unless somebody is
// typing in it.

const EVERY = 1000;
const MOVING = new Set(["READY", "RUNNING"]);
const pageTitle = document.title;

function groups() {
  const found = new Map();
  for (const element of document.querySelectorAll("[data-task]")) {
    const name = element.dataset.task;
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(element);
  }
  return found;
}

function showStatus(element, status) {
  const badges = element.matches(".badge") ? [element] : element.querySelectorAll(".badge");
  for (const badge of badges) {
    if (badge.textContent === status) continue;
    badge.textContent = status;
    badge.className = `badge status ${status.toLowerCase()}`;
  }
  element.dataset.status = status;
}

function showProgress(element, progress, status) {
  const bar = element.querySelector("progress");
  const text = element.querySelector(".progress-text");
  if (bar) {
    bar.hidden = !progress && status !== "RUNNING";
    if (progress?.percent != null) {
      bar.max = 100;
      bar.value = progress.percent;
    } else if (status === "RUNNING") {
      bar.removeAttribute("value");
    }
  }
  if (text && progress) text.textContent = describe(progress);
}

function describe(progress) {
  if (progress.text) return progress.text;
  const parts = [];
  if (progress.percent != null) parts.push(`${Math.floor(progress.percent)} %`);
  if (progress.total) parts.push(`${progress.done} of ${progress.total}`);
  else if (progress.done) parts.push(String(progress.done));
  if (progress.message) parts.push(progress.message);
  return parts.join(" · ");
}

function typing() {
  const active = document.activeElement;
  return active && active.matches("input, textarea, select");
}

async function follow(name, elements) {
  const first = elements[0];
  const single = elements.length > 0 && groups().size === 1;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY));
    if (document.hidden) continue;
    let task;
    try {
      const answer = await fetch(`/api/v1/tasks/${encodeURIComponent(name)}`,
        {headers: {Accept: "application/json"}});
      if (answer.status === 404) return;
      if (!answer.ok) continue;
      task = await answer.json();
    } catch {
      continue; // the server is away; it may come back
    }
    const before = first.dataset.status;
    for (const element of elements) {
      showStatus(element, task.status);
      showProgress(element, task.progress, task.status);
    }
    if (single) {
      const percent = task.progress?.percent;
      document.title = task.status === "RUNNING" && percent != null
        ? `${Math.floor(percent)} % · ${pageTitle}` : `${task.status} · ${pageTitle}`;
    }
    if (before && before !== task.status) {
      document.dispatchEvent(new CustomEvent("wikimill:task",
        {detail: {name, before, status: task.status}}));
    }
    if (!MOVING.has(task.status)) {
      // What else the page says of the run (its outcome, buttons) is the server's to say; the
      // log keeps its place, so only parts that ask for it are loaded anew.
      refreshParts();
      return;
    }
  }
}

async function refreshParts() {
  const parts = document.querySelectorAll("[data-refresh][id]");
  if (!parts.length || typing()) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const other = fresh.getElementById(part.id);
    if (other) part.replaceWith(document.adoptNode(other));
  }
}

for (const [name, elements] of groups()) {
  const status = elements.map((element) => element.dataset.status).find(Boolean);
  if (!status || MOVING.has(status)) follow(name, elements);
}
