/** The board's window: draws only what is in sight, by row and column, and moves among it by keys. */

import { useComputed, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { openLightbox } from "../lightbox/lightbox";
import { type BoardModel, type BoardProps, SIZES } from "./board_model";
import type { Cell } from "./cells";
import { compareWith } from "./comparing";
import { heightFor, layTracks, type Track, type Tracks, windowOf } from "./layout";
import { boardSlides } from "./slides";
import { Tile } from "./tile";

export const MOST_TILES = 80;
const MOST_KEPT = 400;
const GAP = 8;
const CAPTION = 20;
const HEAD_COLUMN = 116;
const HEAD_LINE = 24;
const GROUP_GAP = 14;
const WANTED_HEIGHT = 640;

export interface Sheet {
  rows: Tracks;
  columns: Tracks;
  /** Width of the labels of rows and height of the labels of columns. */
  head: { x: number; y: number };
  pitch: { x: number; y: number };
  isFlow: boolean;
  /** Cells of a track pair; undefined where the plan has none. */
  cellAt(row: number, column: number): Cell | undefined;
  /** Whether anything belongs there. */
  isPlace(row: number, column: number): boolean;
}

export function Grid({ board }: BoardProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const width = useSignal(960);
  const sheet = useComputed(() => sheetOf(board, width.value));
  useLayoutEffect(() => follow(scroller.current, board, width), [board, width]);
  const { rows, columns, head, pitch, isFlow } = sheet.value;
  const room = Math.max(pitch.x, width.value - head.x);
  const height = heightFor(room, pitch, WANTED_HEIGHT, MOST_TILES);
  const { top, left } = board.scroll.value;
  const sight = { top, left, width: room, height };
  const { rows: down, columns: across } = windowOf(rows, columns, sight, pitch, MOST_TILES);
  const shownRows = places(down);
  const shownColumns = places(across);
  // The same element again is not looked into again: scrolling draws only what comes into sight.
  const kept = useMemo(() => new Map<string, VNode>(), [sheet.value]);
  const drawn = (row: number, column: number) => {
    const name = `${row} ${column}`;
    let place = kept.get(name);
    if (!place) {
      place = <Place key={column} board={board} sheet={sheet.value} row={row} column={column} />;
      if (kept.size > MOST_KEPT) kept.clear();
      kept.set(name, place);
    }
    return place;
  };
  if (board.cells.value.length === 0) return <div class="fal-nb-bempty">no cells yet</div>;
  return (
    <div
      class="fal-nb-bscroll"
      ref={scroller}
      style={{ height: `${Math.min(height, rows.length) + head.y + 2}px` }}
      onScroll={({ currentTarget }) => {
        const next = {
          top: Math.max(0, currentTarget.scrollTop),
          left: Math.max(0, currentTarget.scrollLeft),
        };
        if (next.top !== top || next.left !== left) board.scroll.value = next;
      }}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a windowed grid of placed tiles cannot be a table */}
      <div
        class="fal-nb-bsheet"
        role="grid"
        tabIndex={-1}
        aria-label="cells: arrows move, Enter opens, Space selects, c compares, p plays a sound, 1 to 5 rate, x cancels"
        aria-rowcount={rows.tracks.length}
        aria-colcount={columns.tracks.length}
        aria-multiselectable="true"
        style={{ width: `${head.x + columns.length}px`, height: `${head.y + rows.length}px` }}
        onKeyDown={(event) => onKey(event, board, sheet.value, scroller.current)}
      >
        {!isFlow && <ColumnHeads board={board} sheet={sheet.value} shown={shownColumns} />}
        {!isFlow && <RowHeads board={board} sheet={sheet.value} shown={shownRows} />}
        {shownRows.map((row) => (
          // biome-ignore lint/a11y/useSemanticElements: as above
          // biome-ignore lint/a11y/useFocusableInteractive: its tiles are
          <div key={row} role="row" aria-rowindex={row + 1} class="fal-nb-brow">
            {shownColumns.map((column) => drawn(row, column))}
          </div>
        ))}
      </div>
    </div>
  );
}

interface PlaceProps extends BoardProps {
  sheet: Sheet;
  row: number;
  column: number;
}

function Place({ board, sheet, row, column }: PlaceProps) {
  if (!sheet.isPlace(row, column)) return null;
  const { active } = board;
  const y = (sheet.rows.tracks[row] as Track).start + sheet.head.y;
  const x = (sheet.columns.tracks[column] as Track).start + sheet.head.x;
  return (
    <Tile
      board={board}
      cell={sheet.cellAt(row, column)}
      row={row}
      column={column}
      isFlow={sheet.isFlow}
      isActive={active.value.row === row && active.value.column === column}
      style={`transform:translate(${x}px,${y}px)`}
      onOpen={() => open(board, sheet, row, column)}
    />
  );
}

function ColumnHeads({ board, sheet, shown }: BoardProps & { sheet: Sheet; shown: readonly number[] }) {
  const { rows, columns, superColumns } = board.placement.value;
  const axis = board.axis(columns);
  const { head, pitch } = sheet;
  return (
    <div class="fal-nb-bcolumns" style={{ height: `${head.y}px` }}>
      {head.x > 0 && (
        <div class="fal-nb-bcorner" style={{ width: `${head.x}px`, height: `${head.y}px` }}>
          {rows !== undefined && <span title={rows}>{rows} ↓</span>}
          {columns !== undefined && <span title={columns}>{columns} →</span>}
        </div>
      )}
      {sheet.columns.groups.map((group) => (
        <div
          key={group.start}
          class="fal-nb-bgroup"
          title={`${superColumns}: ${group.label}`}
          style={{ left: `${head.x + group.start}px`, width: `${group.end - group.start - GAP}px` }}
        >
          <span style={{ left: `${head.x + 2}px` }}>
            {superColumns}: {group.label}
          </span>
        </div>
      ))}
      {axis &&
        shown.map((column) => {
          const track = sheet.columns.tracks[column] as Track;
          const label = axis.labels[track.inner] ?? "";
          const words = head.x > 0 ? label : `${axis.name}: ${label}`;
          return (
            <div
              key={column}
              class="fal-nb-blabel"
              title={`${axis.name}: ${label}`}
              style={{ left: `${head.x + track.start}px`, width: `${pitch.x - GAP}px` }}
            >
              {words}
            </div>
          );
        })}
    </div>
  );
}

function RowHeads({ board, sheet, shown }: BoardProps & { sheet: Sheet; shown: readonly number[] }) {
  const { rows, superRows } = board.placement.value;
  const axis = board.axis(rows);
  const { head, pitch } = sheet;
  return (
    <div class="fal-nb-brows" style={{ height: `${sheet.rows.length}px`, width: `${head.x}px` }}>
      {sheet.rows.groups.map((group) => (
        <div
          key={group.start}
          class="fal-nb-bstrip"
          title={`${superRows}: ${group.label}`}
          style={{ top: `${group.start}px` }}
        >
          {superRows}: {group.label}
        </div>
      ))}
      {axis &&
        shown.map((row) => {
          const track = sheet.rows.tracks[row] as Track;
          const label = axis.labels[track.inner] ?? "";
          return (
            <div
              key={row}
              class="fal-nb-brlabel"
              title={`${axis.name}: ${label}`}
              style={{ top: `${track.start}px`, height: `${pitch.y - GAP}px` }}
            >
              <span>{label}</span>
            </div>
          );
        })}
    </div>
  );
}

function sheetOf(board: BoardModel, width: number): Sheet {
  const side = SIZES[board.size.value];
  const order = board.order.value;
  if (order) return flowOf(order, width, side);
  const { rows, columns, superRows, superColumns } = board.placement.value;
  const axes = board.axes.value;
  const places = [superRows, rows, superColumns, columns].map((name) =>
    axes.findIndex((axis) => axis.name === name),
  );
  const fixed = axes.map((axis) => board.pickedOf(axis));
  const finder = board.finder.value;
  const at = (row: Track, column: Track): Cell | undefined => {
    const coordinates = [...fixed];
    [row.outer, row.inner, column.outer, column.inner].forEach((value, which) => {
      const axis = places[which] ?? -1;
      if (axis >= 0) coordinates[axis] = value;
    });
    return finder.at(coordinates);
  };
  const pitch = { x: side + GAP, y: side + CAPTION + GAP };
  const down = (isShown?: (outer: number, inner: number) => boolean) =>
    layTracks(
      board.axis(superRows),
      board.axis(rows),
      { pitch: pitch.y, lead: HEAD_LINE, gap: GROUP_GAP },
      isShown,
    );
  const across = (isShown?: (outer: number, inner: number) => boolean) =>
    layTracks(
      board.axis(superColumns),
      board.axis(columns),
      { pitch: pitch.x, lead: 0, gap: GROUP_GAP },
      isShown,
    );
  let [downTracks, acrossTracks] = [down(), across()];
  if (board.rule.value) {
    const isLeft = (row: Track, column: Track) => {
      const cell = at(row, column);
      return cell !== undefined && !board.isHidden(cell);
    };
    const [allRows, allColumns] = [downTracks.tracks, acrossTracks.tracks];
    const leftRows = new Set(
      allRows.filter((row) => allColumns.some((column) => isLeft(row, column))).map(idOf),
    );
    const leftColumns = new Set(
      allColumns.filter((column) => allRows.some((row) => isLeft(row, column))).map(idOf),
    );
    downTracks = down((outer, inner) => leftRows.has(`${outer} ${inner}`));
    acrossTracks = across((outer, inner) => leftColumns.has(`${outer} ${inner}`));
  }
  return {
    rows: downTracks,
    columns: acrossTracks,
    head: {
      x: rows === undefined && superRows === undefined ? 0 : HEAD_COLUMN,
      y: headHeight(superColumns, columns),
    },
    pitch,
    isFlow: false,
    isPlace: () => true,
    cellAt: (row, column) => at(downTracks.tracks[row] as Track, acrossTracks.tracks[column] as Track),
  };
}

function headHeight(superColumns: string | undefined, columns: string | undefined): number {
  const lines = Number(superColumns !== undefined) + Number(columns !== undefined);
  return Math.max(1, lines) * HEAD_LINE + 4;
}

function idOf(track: Track): string {
  return `${track.outer} ${track.inner}`;
}

/** Sorted cells one after the other, as many in a row as fit. */
function flowOf(order: readonly Cell[], width: number, side: number): Sheet {
  const pitch = { x: side + GAP, y: side + 2 * CAPTION + GAP };
  const count = Math.max(1, Math.floor((width + GAP - 2) / pitch.x));
  const across = numbered(Math.min(count, Math.max(1, order.length)), pitch.x, GAP);
  return {
    rows: numbered(Math.ceil(order.length / count), pitch.y),
    columns: across,
    head: { x: 0, y: 0 },
    pitch,
    isFlow: true,
    isPlace: (row, column) => row * count + column < order.length,
    cellAt: (row, column) => order[row * count + column],
  };
}

function numbered(count: number, pitch: number, without = 0): Tracks {
  const tracks = Array.from({ length: count }, (_, at) => ({ start: at * pitch, outer: 0, inner: at }));
  return { tracks, groups: [], length: count * pitch - without };
}

/** Opens the lightbox on a cell; its neighbours are those of the board as it lies now. */
function open(board: BoardModel, sheet: Sheet, row: number, column: number): void {
  const order: number[] = [];
  let start = 0;
  for (let y = 0; y < sheet.rows.tracks.length; y += 1) {
    for (let x = 0; x < sheet.columns.tracks.length; x += 1) {
      const cell = sheet.isPlace(y, x) ? sheet.cellAt(y, x) : undefined;
      if (!cell || board.isHidden(cell)) continue;
      if (y === row && x === column) start = order.length;
      order.push(cell.place);
    }
  }
  if (sheet.cellAt(row, column)) openLightbox(boardSlides(board, order), start, board.shelf);
}

const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

function onKey(event: KeyboardEvent, board: BoardModel, sheet: Sheet, scroller: HTMLElement | null): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { row, column } = board.active.value;
  const cell = sheet.isPlace(row, column) ? sheet.cellAt(row, column) : undefined;
  const step = STEPS[event.key];
  if (step) {
    const next = {
      row: clamp(row + step[0], sheet.rows.tracks.length),
      column: clamp(column + step[1], sheet.columns.tracks.length),
    };
    if (sheet.isPlace(next.row, next.column)) reveal(board, sheet, next, scroller);
  } else if (event.key === "Home" || event.key === "End") {
    const last = event.key === "End" ? sheet.columns.tracks.length - 1 : 0;
    if (sheet.isPlace(row, last)) reveal(board, sheet, { row, column: last }, scroller);
  } else if (event.key === "Enter" && cell) {
    open(board, sheet, row, column);
  } else if (event.key === " " && cell) {
    board.toggle(cell.place);
  } else if (event.key === "c" && cell) {
    compareWith(board, cell.place);
  } else if (event.key === "p" && cell) {
    const tile = (event.currentTarget as HTMLElement).querySelector('.fal-nb-btile[tabindex="0"]');
    tile?.querySelector<HTMLElement>(".fal-nb-tplay")?.click();
  } else if (event.key === "x" && cell) {
    board.shelf.send({ kind: "cancel-cell", cell: cell.place });
  } else if (/^[0-5]$/.test(event.key) && cell) {
    board.shelf.send({ kind: "rate", cell: cell.place, rating: Number(event.key) || null });
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

/** Makes a tile the active one, brings it into sight and gives it the focus. */
function reveal(
  board: BoardModel,
  sheet: Sheet,
  to: { row: number; column: number },
  scroller: HTMLElement | null,
): void {
  board.active.value = to;
  if (!scroller?.clientHeight) return;
  const y = (sheet.rows.tracks[to.row] as Track).start;
  const x = (sheet.columns.tracks[to.column] as Track).start;
  const { top, left } = board.scroll.peek();
  const height = scroller.clientHeight - sheet.head.y;
  const width = scroller.clientWidth - sheet.head.x;
  const next = {
    top: y < top ? y : y + sheet.pitch.y > top + height ? y + sheet.pitch.y - height : top,
    left: x < left ? x : x + sheet.pitch.x > left + width ? x + sheet.pitch.x - width : left,
  };
  scroller.scrollTop = next.top;
  scroller.scrollLeft = next.left;
  board.scroll.value = { top: Math.max(0, next.top), left: Math.max(0, next.left) };
}

/** Keeps the width of the board known and its place after it was taken out of the page and put back. */
function follow(
  scroller: HTMLElement | null,
  board: BoardModel,
  width: { value: number },
): (() => void) | undefined {
  if (!scroller) return undefined;
  const { top, left } = board.scroll.peek();
  scroller.scrollTop = top;
  scroller.scrollLeft = left;
  const measure = () => {
    if (scroller.clientWidth > 0) width.value = scroller.clientWidth;
  };
  measure();
  if (typeof ResizeObserver === "undefined") return undefined;
  const observer = new ResizeObserver(measure);
  observer.observe(scroller);
  return () => observer.disconnect();
}

function places({ first, end }: { first: number; end: number }): readonly number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, at) => first + at);
}

function clamp(value: number, count: number): number {
  return Math.max(0, Math.min(count - 1, value));
}
