/** A board in a file of its own. */

import board from "../board";
import type { BoardEvent, BoardState, CellRow } from "../lib/board_messages";
import { PageModel } from "./page_model";
import type { Stored } from "./stored";

export class BoardPage extends PageModel<BoardState, BoardEvent> {
  protected answer(event: BoardEvent): void {
    if (event.kind === "thumbnails") this.tellThumbnails(event.cells, (cell) => this.#digest(cell));
    else if (event.kind === "media")
      this.tellOriginal(event.index, this.#digest(event.index), this.#row(event.index)?.[9]?.[1] ?? "");
    else if (event.kind === "details") {
      for (const cell of event.cells) this.tell(this.stored.json(`details-${cell}`));
    }
  }

  #row(cell: number): CellRow | undefined {
    return this.state[`c${cell}`];
  }

  #digest(cell: number): string {
    return String(this.#row(cell)?.[9]?.[2] ?? "");
  }
}

export function mountBoard(el: HTMLElement, stored: Stored): void {
  board.render({ model: new BoardPage(stored), el });
}
