/** Cells of a board as slides, for its lightbox and for comparing. */

import type { ReadonlySignal } from "@preact/signals";
import { money, seconds } from "../lib/format";
import type { Slide, Slides, Words } from "../lightbox/slides";
import type { BoardModel } from "./board_model";
import { type Cell, labelsOf } from "./cells";
import { CELL_WORDS } from "./header";

export function boardSlides(board: BoardModel, places: readonly number[]): Slides {
  const at = (index: number) => board.cell(places[index] ?? -1);
  return {
    count: places.length,
    media: board.shelf.media,
    slide: (index) => slideOf(board, at(index)),
    thumbnail: (index) => {
      const cell = at(index) as Cell;
      board.shelf.thumbs.want(cell);
      return board.shelf.thumbs.get(cell);
    },
    words: (index): ReadonlySignal<Words | undefined> => board.shelf.details(at(index) as Cell),
    rate: board.live.field("is_export").peek()
      ? undefined
      : (index, rating) => board.shelf.send({ kind: "rate", cell: (at(index) as Cell).place, rating }),
  };
}

function slideOf(board: BoardModel, cell: Cell | undefined): Slide {
  if (!cell) return { title: "", facts: [], text: "not there any more" };
  const currency = board.live.field("currency").value;
  const named = board.axes.value
    .map((axis, at) => ({ name: axis.name, label: axis.labels[cell.coordinates[at] ?? -1] }))
    .filter(({ label }) => label !== undefined);
  return {
    title: named.map(({ name, label }) => `${name}: ${label}`).join(" · ") || `cell ${cell.place + 1}`,
    facts: factsOf(board, cell),
    output: cell.state === "SUCCEEDED" ? cell.output : undefined,
    text: cell.text || [CELL_WORDS[cell.state], cell.reason].filter(Boolean).join(": "),
    cost: cell.cost,
    seconds: cell.seconds,
    currency,
  };
}

export function factsOf(board: BoardModel, cell: Cell): readonly string[] {
  const currency = board.live.field("currency").value;
  const scores = board.live.field("scores").value ?? [];
  return [
    seconds(cell.seconds),
    money(cell.cost, currency),
    cell.isFromMemo ? "from memo, nothing was sent" : "",
    "★".repeat(cell.rating ?? 0),
    ...cell.scores.map((score, at) =>
      score === undefined ? "" : `${scores[at]} ${Number(score.toPrecision(3))}`,
    ),
    cell.record === undefined ? "" : `#${cell.record}`,
  ].filter(Boolean);
}

export { labelsOf };
