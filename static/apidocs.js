// The page of the API: finds operations, opens what the address names, and sends what the forms
// ask for, as who is logged in here or with a pasted token.

import {gettext, ngettext} from "./translate.js";

const MOST = 200_000; // characters shown of an answer
const READABLE = /^(text\/|application\/([\w.-]+\+)?json|application\/x-ndjson)/;

const find = document.getElementById("api-find");
const operations = [...document.querySelectorAll(".api-operation[data-words]")];

function filter() {
  const words = find.value.toLowerCase().split(/\s+/);
  for (const operation of operations) {
    operation.hidden = !words.every((word) => operation.dataset.words.includes(word));
  }
  for (const group of document.querySelectorAll(".api-group")) {
    group.hidden = !group.querySelector(".api-operation:not([hidden])");
  }
  const found = operations.filter((operation) => !operation.hidden).length;
  document.getElementById("api-found").textContent =
    ngettext("%(num)s operation", "%(num)s operations", found);
}

// Links between operations and schemas lead into closed parts.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.matches(".api-operation")) return;
  if (target.hidden) {
    find.value = "";
    filter();
  }
  target.open = true;
  target.scrollIntoView();
}

function inputs(form, place) {
  return [...form.querySelectorAll(`[data-in="${place}"]`)].filter(({value}) => value !== "");
}

function address(form) {
  let {path} = form.dataset;
  for (const {name, value} of inputs(form, "path")) {
    path = path.replace(`{${name}}`, encodeURIComponent(value));
  }
  const query = new URLSearchParams(inputs(form, "query").map(({name, value}) => [name, value]));
  for (const {value} of inputs(form, "conditions")) {
    for (const [name, wanted] of new URLSearchParams(value)) query.append(name, wanted);
  }
  return query.size ? `${path}?${query}` : path;
}

// What fetch is told: an HTTP request as the form describes it.
function request(form, signal) {
  const headers = new Headers(inputs(form, "header").map(({name, value}) => [name, value]));
  const token = document.getElementById("api-token").value.trim();
  if (token) headers.set("Authorization", `Bearer ${token}`);
  else headers.set("X-CSRF-Token", document.querySelector('meta[name="csrf-token"]').content);
  const [json] = inputs(form, "json");
  if (json) headers.set("Content-Type", "application/json");
  return {method: form.dataset.method, headers, signal, cache: "no-store",
    credentials: token ? "omit" : "same-origin",
    body: json?.value ?? form.querySelector('[data-in="file"]')?.files[0]};
}

// Shows a body as it comes, since a followed log has no end, up to MOST characters.
async function showText(response, show) {
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, {stream: true});
    show(text);
    if (text.length > MOST) {
      show(`${text.slice(0, MOST)}…`);
      await reader.cancel();
      return;
    }
  }
  if (/json$/.test(response.headers.get("Content-Type").split(";")[0]) && text.length <= MOST) {
    show(indented(text));
  }
}

// JSON with indentation; as it is where it is several values, a line each.
function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function showAnswer(form, response) {
  const body = form.querySelector(".api-body");
  const show = (text) => { body.textContent = text; };
  const type = response.headers.get("Content-Type") ?? "";
  form.querySelector(".api-status").textContent =
    `${response.status} ${response.statusText}`;
  form.querySelector(".api-headers").textContent =
    [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  form.querySelector(".api-result").hidden = false;
  show("");
  if (!response.body) return;
  if (READABLE.test(type)) await showText(response, show);
  else show(gettext("%(size)s bytes of %(type)s", {size: (await response.blob()).size, type}));
}

async function send(form) {
  const stop = form.querySelector(".api-stop");
  const sending = new AbortController();
  stop.hidden = false;
  stop.onclick = () => sending.abort();
  form.querySelector(".api-status").textContent = gettext("Sending…");
  try {
    await showAnswer(form, await fetch(address(form), request(form, sending.signal)));
  } catch (error) {
    form.querySelector(".api-status").textContent = sending.signal.aborted
      ? gettext("Stopped.") : gettext("This could not be sent: %(reason)s", {reason: error.message});
  }
  stop.hidden = true;
}

for (const part of document.querySelectorAll(".api-tools, .api-try")) part.hidden = false;
for (const form of document.querySelectorAll(".api-try")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
find.addEventListener("input", filter);
addEventListener("hashchange", openTarget);
filter();
openTarget();
