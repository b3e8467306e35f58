// Boards of tasks (see <<tasks>>): one box that ticks all tasks that are shown.

const boxes = (board) => board.querySelectorAll("tbody input[type=checkbox]");

function offerAll(within) {
  for (const all of within.querySelectorAll(".board-all")) all.hidden = false;
}

document.addEventListener("change", (event) => {
  if (!event.target.matches(".board-all")) return;
  for (const box of boxes(event.target.closest(".board"))) box.checked = event.target.checked;
});
document.addEventListener("wikimill:part", (event) => offerAll(event.detail.part));
offerAll(document);
