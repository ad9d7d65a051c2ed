/** Cells as the views use them, read from the short rows of the state; each row is read once. */

import type { ArtifactRow, Axis, BoardState, CellRow } from "../lib/board_messages";
import { isNumber } from "../lib/format";
import type { JobState, Output } from "../lib/messages";

export interface Cell {
  /** Its place in the plan, by which page and kernel name it. */
  place: number;
  coordinates: readonly number[];
  state: JobState;
  progress?: number;
  cost?: number;
  estimate?: number;
  seconds?: number;
  rating?: number;
  isFromMemo: boolean;
  scores: readonly (number | undefined)[];
  output?: Output;
  outputs: number;
  record?: number;
  reason: string;
  digest: string;
  text: string;
}

/** Reads the rows of a state; a row that is the same object as before gives the same cell. */
export class CellReader {
  readonly #read: { row: CellRow; cell: Cell }[] = [];
  #cells: readonly Cell[] = [];

  read(state: Partial<BoardState>): readonly Cell[] {
    const count = isNumber(state.count) ? state.count : 0;
    let isSame = this.#cells.length === count;
    const cells: Cell[] = [];
    for (let place = 0; place < count; place += 1) {
      const row = state[`c${place}`];
      if (!Array.isArray(row)) continue;
      let known = this.#read[place];
      if (known?.row !== row) {
        known = { row, cell: readCell(place, row) };
        this.#read[place] = known;
      }
      if (this.#cells[cells.length] !== known.cell) isSame = false;
      cells.push(known.cell);
    }
    if (!isSame || cells.length !== this.#cells.length) this.#cells = cells;
    return this.#cells;
  }
}

function readCell(place: number, row: CellRow): Cell {
  const [coordinates, state, progress, cost, estimate, total, rating, memo, scores, artifact, count, record] =
    row;
  return {
    place,
    coordinates: Array.isArray(coordinates) ? coordinates : [],
    state,
    progress: known(progress),
    cost: known(cost),
    estimate: known(estimate),
    seconds: known(total),
    rating: known(rating),
    isFromMemo: memo === 1,
    scores: (scores ?? []).map(known),
    output: artifact ? readOutput(place, artifact) : undefined,
    outputs: count ?? 0,
    record: known(record),
    reason: String(row[12] ?? ""),
    digest: artifact ? String(artifact[2]) : "",
    text: String(artifact?.[7] ?? ""),
  };
}

/** The cell's file as the store of bytes knows files: by the cell's place, its name being its content. */
function readOutput(place: number, artifact: ArtifactRow): Output {
  const [kind, content_type, digest, width, height, duration_s, size_bytes] = artifact;
  return {
    index: place,
    kind,
    content_type,
    file_name: digest,
    width,
    height,
    duration_s,
    size_bytes,
    has_thumbnail: digest !== "" && kind !== "text",
    stored: digest !== "",
  };
}

function known(value: number | null | undefined): number | undefined {
  return isNumber(value) ? value : undefined;
}

/** `fox · ukiyo-e · 2`: the cell's labels, without the axes that do not apply to it. */
export function labelsOf(axes: readonly Axis[], cell: Cell): string {
  return axes
    .map((axis, at) => axis.labels[cell.coordinates[at] ?? -1])
    .filter((label) => label !== undefined)
    .join(" · ");
}
