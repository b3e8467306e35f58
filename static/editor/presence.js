// Tells the server that the editor is open, and the reader who else has it open.

import {tryJson} from "../asking.js";

export function watch(form) {
  const box = document.querySelector(".editing-others");
  const {editing, every} = form.dataset;
  const body = (leave) => {
    const data = new FormData();
    data.append("form_token", form.elements.form_token.value);
    if (leave) data.append("leave", "1");
    return data;
  };
  const tell = async () => {
    const answer = await tryJson(editing, {method: "POST", body: body(false),
      headers: {Accept: "application/json"}});
    if (!answer) return;
    const {others} = answer;
    box.hidden = !others.length;
    box.querySelector(".names").textContent = others.join(", ");
    box.querySelector("span").textContent = others.length === 1 ? box.dataset.one : box.dataset.many;
  };
  tell();
  const timer = setInterval(tell, every * 1000);
  addEventListener("pagehide", () => {
    clearInterval(timer);
    navigator.sendBeacon(editing, body(true));
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
