// Opens the rich editor where its bundle is there (`make vendor`) and the reader wants it.

const KIND = "wikimill.editor"; // "plain" for who prefers a plain text field

export const prefersPlain = () => localStorage.getItem(KIND) === "plain";

// Keeps the choice, for the next time that an editor opens.
export function setPlain(plain) {
  if (plain) localStorage.setItem(KIND, "plain");
  else localStorage.removeItem(KIND);
}

// The rich view of the text, or null.
export async function openRich(address, options) {
  if (!address || prefersPlain()) return null;
  try {
    const {open} = await import(address);
    return open({...options, nonce: document.querySelector("script[nonce]").nonce});
  } catch (error) {
    console.warn(error); // the text can be written without
    return null;
  }
}
