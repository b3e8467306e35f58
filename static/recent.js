// The pages that a user read lately in this browser, the last one first: [{reference, title}].

const KEPT = 20;
const keyOf = (user) => `wikimill.recent.${user}`;

export function recentOf(user) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(user)) ?? "[]");
  } catch {
    return []; // storage is forbidden, or holds what is not ours
  }
}

export function remember(user, page) {
  const others = recentOf(user).filter(({reference}) => reference !== page.reference);
  try {
    localStorage.setItem(keyOf(user), JSON.stringify([page, ...others].slice(0, KEPT)));
  } catch { /* storage is forbidden or full: the list stays as it is */ }
}
