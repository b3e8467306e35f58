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
