// What a page says when the server is away.

import {gettext} from "./translate.js";

// Says at the page's foot that what was asked for did not get through; the page stays as it is.
export function tellAway() {
  document.querySelector(".server-away")?.remove();
  const box = document.createElement("div");
  box.className = "box error server-away";
  box.setAttribute("role", "alert");
  box.textContent = gettext("The server does not answer. Try again in a moment.");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain";
  close.textContent = gettext("Close");
  close.addEventListener("click", () => box.remove());
  box.append(" ", close);
  document.body.append(box);
}
