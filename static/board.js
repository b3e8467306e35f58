// Keeps boards of tasks up to date: every section.board[data-live] (see <<tasks>>).
//
// One request brings a whole board; ticked boxes and the focus stay. Where a board takes the
// server long to make, it is asked for less often.

import {fetchPart, morph, wait} from "./morph.js";

const EVERY = 2000;
const SELDOM = 15000;
const SHARE = 10; // at most a tenth of the time is spent on asking

const boxes = (board) => [...board.querySelectorAll("tbody input[type=checkbox]")];

function offerAll(board) {
  const all = board.querySelector(".board-all");
  if (all) all.hidden = false;
}

async function follow(board) {
  let took = 0;
  for (;;) {
    await wait(Math.max(board.dataset.moving === "true" ? EVERY : SELDOM, took * SHARE));
    if (document.hidden) continue;
    const begun = performance.now();
    const fresh = await fetchPart(board.dataset.live, ".board");
    took = performance.now() - begun;
    if (fresh && board.isConnected) {
      morph(board, fresh);
      offerAll(board);
    }
  }
}

for (const board of document.querySelectorAll("section.board[data-live]")) {
  offerAll(board);
  board.addEventListener("change", (event) => {
    if (!event.target.matches(".board-all")) return;
    for (const box of boxes(board)) box.checked = event.target.checked;
  });
  follow(board);
}
