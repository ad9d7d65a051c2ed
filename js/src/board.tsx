/** The sweep board: every cell of a sweep by its axes, filled in live, turned and sorted without running anything. */

import { AxesBar } from "./board/axes_bar";
import { BoardModel } from "./board/board_model";
import { Grid } from "./board/grid";
import { Header } from "./board/header";
import { shelfOf } from "./board/shelf";
import boardCss from "./board.css?inline";
import type { BoardEvent, BoardMessage, BoardState } from "./lib/board_messages";
import { mount } from "./lib/mount";
import type { CleanUp, RenderContext } from "./lib/widget";

function render(context: RenderContext): CleanUp {
  return mount<BoardState, BoardEvent>(context, {
    styles: { board: boardCss },
    isUrgent: (before, after) => before.count !== after.count,
    draw: (live) => {
      const shelf = shelfOf(live.field("view").peek());
      const release = shelf.hold((event) => live.send(event));
      live.onMessage((content, buffers) => shelf.receive(content as BoardMessage, buffers));
      const board = new BoardModel(live, shelf);
      const content = (
        // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
        <section class="fal-nb-board fal-nb-theme" aria-label="sweep board" data-lm-suppress-shortcuts="true">
          <Header board={board} />
          <AxesBar board={board} />
          <Grid board={board} />
        </section>
      );
      return { content, release };
    },
  });
}

export default { render };
