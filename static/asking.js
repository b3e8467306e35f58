// Asks the server for what a page can go on without for now. Each answers null where the server
// is away, breaks off or refuses: it may be back later.

export async function tryFetch(url, options) {
  const answer = await fetch(url, options).catch(() => null);
  return answer?.ok ? answer : null;
}

export async function tryJson(url, options) {
  const answer = await tryFetch(url, options);
  return answer && answer.json().catch(() => null);
}

export async function tryDocument(url, options) {
  const answer = await tryFetch(url, options);
  const text = await answer?.text().catch(() => null);
  return text == null ? null : new DOMParser().parseFromString(text, "text/html");
}

// Says at the page's foot that what was asked for did not get through; the page stays as it is.
export function tellAway() {
  document.querySelector(".server-away")?.remove();
  const box = document.createElement("div");
  box.className = "box error server-away";
  box.setAttribute("role", "alert");
  box.textContent = "The server does not answer. Try again in a moment. ";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain";
  close.textContent = "Close";
  close.addEventListener("click", () => box.remove());
  box.append(close);
  document.body.append(box);
}
