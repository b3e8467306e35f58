// Runs in the frame that draws diagrams (see diagrams.js): answers each {id, text, dark} of the
// page round it with {id, svg} or {id, error}. It sees nothing of that page but these texts.

import mermaid from "./vendor/mermaid/mermaid.esm.min.mjs";

let last = Promise.resolve(); // one at a time: the library keeps its settings for itself

async function answer({id, text, dark}) {
  mermaid.initialize({startOnLoad: false, securityLevel: "strict", htmlLabels: false,
    flowchart: {htmlLabels: false}, theme: dark ? "dark" : "default"});
  try {
    const {svg} = await mermaid.render(`diagram-${id}`, text);
    parent.postMessage({id, svg}, "*");
  } catch (error) {
    parent.postMessage({id, error: error.message}, "*");
  }
}

addEventListener("message", ({source, data}) => {
  if (source === parent) last = last.then(() => answer(data));
});
parent.postMessage({ready: true}, "*");
