/** The sweep board: every cell of a sweep by its axes, filled in live, turned and sorted without running anything. */

import { render as renderInto } from "preact";
import { AxesBar } from "./board/axes_bar";
import { BoardModel } from "./board/board_model";
import { Grid } from "./board/grid";
import { Header } from "./board/header";
import { shelfOf } from "./board/shelf";
import boardCss from "./board.css?inline";
import type { BoardEvent, BoardMessage, BoardState } from "./lib/board_messages";
import { Live } from "./lib/model";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import { watchVisible } from "./lib/visible";
import type { CleanUp, RenderContext } from "./lib/widget";

/** A board this far out of sight, in pixels, is not kept up to date. */
const NEAR_PX = 400;

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "board", boardCss);
  const live = new Live<BoardState, BoardEvent>(model, (before, after) => before.count !== after.count);
  const shelf = shelfOf(live.field("view").peek());
  const release = shelf.hold((event) => live.send(event));
  live.onMessage((content, buffers) => shelf.receive(content as BoardMessage, buffers));
  const board = new BoardModel(live, shelf);
  renderInto(
    // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
    <section class="fal-nb-board fal-nb-theme" aria-label="sweep board" data-lm-suppress-shortcuts="true">
      <Header board={board} />
      <AxesBar board={board} />
      <Grid board={board} />
    </section>,
    el,
  );
  const unwatch = watchVisible(el.firstElementChild as Element, NEAR_PX, (isNear) => live.hold(!isNear));
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    unwatch();
    renderInto(null, el);
    live.close();
    release();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

export default { render };
