// Uploads of many files, one after the other, with a bar for each; dropped or chosen.
// Without this, the form works as a plain form.

import {onDrop} from "./drop.js";

function upload(form, file, item) {
  const bar = item.querySelector("progress");
  const state = item.querySelector(".state");
  return new Promise((resolve) => {
    const data = new FormData();
    data.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", form.elements.form_token.value);
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.max = event.total;
      bar.value = event.loaded;
      state.textContent = `${Math.floor(100 * event.loaded / event.total)} %`;
    });
    const end = (good, message) => {
      state.textContent = message;
      item.classList.toggle("failed", !good);
      if (good) bar.value = bar.max;
      resolve(good);
    };
    request.addEventListener("load", () => {
      const good = request.status < 300;
      end(good, good ? "attached" : reason(request));
    });
    request.addEventListener("error", () => end(false, "the connection broke; try again"));
    request.send(data);
  });
}

function reason(request) {
  const answer = new DOMParser().parseFromString(request.responseText, "text/html");
  return answer.querySelector(".box.error")?.textContent.trim() || `refused (${request.status})`;
}

function addItem(list, file) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = file.name;
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", `Upload of ${file.name}`);
  bar.max = 1;
  bar.value = 0;
  const state = document.createElement("span");
  state.className = "state";
  item.append(name, bar, state);
  list.append(item);
  return item;
}

async function uploadAll(form, files) {
  const list = form.querySelector(".uploads");
  const items = files.map((file) => addItem(list, file));
  let good = true;
  for (const [index, file] of files.entries()) {
    good = await upload(form, file, items[index]) && good;
  }
  if (good) location.reload();
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  form.addEventListener("submit", (event) => {
    if (!input.files.length) return;
    event.preventDefault();
    uploadAll(form, [...input.files]);
  });
  onDrop(form, (files) => uploadAll(form, [...files]));
}
