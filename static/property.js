// Changes properties in place: brings the form that a.property-edit leads to (see <<property>>),
// sends it, and shows the new values. Without this the link opens the form as a page.

import {tellAway} from "./away.js";

const parse = (text) => new DOMParser().parseFromString(text, "text/html");

function close(link) {
  link.parentElement.querySelector(".property-form")?.remove();
  link.focus();
}

// What the server answers: {ok, page}, or null, and the reader is told, where it is away.
async function ask(url, options) {
  try {
    const answer = await fetch(url, options);
    return {ok: answer.ok, page: parse(await answer.text())};
  } catch {
    tellAway();
    return null;
  }
}

async function open(link) {
  const answer = await ask(link.href);
  if (!answer) return;
  const form = answer.ok && answer.page.querySelector(".property-form");
  if (form) place(link, form);
  else location.assign(link.href);
}

function place(link, form) {
  link.parentElement.querySelector(".property-form")?.remove();
  form.classList.add("in-place");
  link.after(form);
  form.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(link, form);
  });
  form.addEventListener("keydown", (event) => event.key === "Escape" && close(link));
  form.querySelector("a.plain")?.addEventListener("click", (event) => {
    event.preventDefault();
    close(link);
  });
}

// A saved value answers with the page, a refused one with the form and what is wrong.
async function send(link, form) {
  const answer = await ask(form.action, {method: "POST", body: new FormData(form)});
  if (!answer) return;
  const refused = answer.page.querySelector(".property-form");
  if (refused) place(link, refused);
  else if (answer.ok) showValues(answer.page, link);
  else location.assign(link.href);
}

function showValues(page, link) {
  const key = link.parentElement.dataset.property;
  const fresh = new Map([...page.querySelectorAll("[data-property]")]
    .map((item) => [item.dataset.property, item]));
  for (const item of document.querySelectorAll("[data-property]")) {
    const now = fresh.get(item.dataset.property);
    if (now && item.dataset.property === key) item.replaceWith(now.cloneNode(true));
  }
  const changed = [...document.querySelectorAll("[data-property]")]
    .find((item) => item.dataset.property === key);
  changed?.querySelector("a.property-edit")?.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.property-edit");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.parentElement.querySelector(".property-form")) close(link);
  else open(link);
});
