// Diagrams: draws what a ```mermaid fence says, if the library is there (`make vendor`).
//
// The drawing is shown as a picture, since an SVG's own styles are no page's business, and
// the policy lets no style in. Without script or library, the fence shows its code.

const LIBRARY = "./vendor/mermaid/mermaid.esm.min.mjs";

async function draw() {
  const fences = document.querySelectorAll("pre.mermaid:not([data-drawn])");
  if (!fences.length) return;
  const mermaid = await library();
  if (!mermaid) return;
  for (const fence of fences) await show(mermaid, fence);
}

async function library() {
  try {
    const {default: mermaid} = await import(LIBRARY);
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    mermaid.initialize({startOnLoad: false, securityLevel: "strict", htmlLabels: false,
      flowchart: {htmlLabels: false}, theme: dark ? "dark" : "default"});
    return mermaid;
  } catch {
    return null; // not installed: the code is there to read
  }
}

let drawn = 0;

async function show(mermaid, fence) {
  const text = fence.textContent;
  fence.dataset.drawn = "";
  let svg;
  try {
    svg = (await mermaid.render(`diagram-${++drawn}`, text)).svg;
  } catch (error) {
    const note = document.createElement("p");
    note.className = "box error";
    note.textContent = `The diagram cannot be drawn: ${error.message}`;
    fence.after(note);
    return;
  }
  const figure = document.createElement("figure");
  const picture = new Image();
  figure.className = "diagram";
  picture.alt = text;
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(sized(svg))}`;
  figure.append(picture);
  fence.replaceWith(figure);
}

// A picture needs a size of its own; the drawing has it in its view box.
function sized(svg) {
  const [, width, height] = svg.match(/viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/) ?? [];
  return width ? svg.replace(/<svg([^>]*?) width="[^"]*"/,
    `<svg$1 width="${width}" height="${height}"`) : svg;
}

draw();
