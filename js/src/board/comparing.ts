/** Two clicks from the board to a comparison: the first cell is kept, the second opens both. */

import { openCompare } from "../compare/compare";
import type { BoardModel } from "./board_model";
import { boardSlides } from "./slides";

/** Adds a cell to those that are to be compared, and compares them once they are two; alone, it is let go again. */
export function compareWith(board: BoardModel, place: number): void {
  const isAlone = board.selected.value.length === 1 && board.selected.value[0] === place;
  if (isAlone || !board.selected.value.includes(place)) board.toggle(place);
  compareSelected(board);
}

/** Compares the selected cells that are still there; one alone is nothing to compare. */
export function compareSelected(board: BoardModel): void {
  const selected = board.selected.value.filter((each) => board.cell(each));
  if (selected.length > 1) openCompare(boardSlides(board, selected), board.shelf);
}
