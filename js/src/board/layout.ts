/** Where axes lie, where cells lie, and which of them are in sight. Nothing here touches the page. */

import type { Axis } from "../lib/board_messages";
import type { Cell } from "./cells";

export const PLACES = ["rows", "columns", "superRows", "superColumns"] as const;
export type Place = (typeof PLACES)[number];

/** The name of the axis at each place; those at none are picked one value at a time. */
export type Placement = Readonly<Partial<Record<Place, string>>>;

/** Where the axes lie at first; the static twin (`placement` in `board_look.py`) does the same. */
export function defaultPlacement(axes: readonly Axis[]): Placement {
  const [a, b, c] = axes;
  if (!a) return {};
  if (!b) return { columns: a.name };
  if (!c) return { rows: a.name, columns: b.name };
  const last = axes[axes.length - 1] as Axis;
  if (axes.length === 3) return { superRows: a.name, rows: b.name, columns: c.name };
  const others = [a, b, c];
  const shortest = others.reduce((best, axis) => (axis.labels.length <= best.labels.length ? axis : best));
  const [superRows, rows] = others.filter((axis) => axis !== shortest) as [Axis, Axis];
  return { superRows: superRows.name, rows: rows.name, superColumns: shortest.name, columns: last.name };
}

/** The placement for these axes: what no longer exists is left out. */
export function validPlacement(axes: readonly Axis[], wanted: Placement | undefined): Placement {
  if (!wanted) return defaultPlacement(axes);
  const names = new Set(axes.map((axis) => axis.name));
  const kept: Partial<Record<Place, string>> = {};
  for (const place of PLACES) {
    const name = wanted[place];
    if (name !== undefined && names.delete(name)) kept[place] = name;
  }
  return Object.keys(kept).length > 0 ? kept : defaultPlacement(axes);
}

/** Puts an axis (or none) at a place; the axis that was there goes where the other one came from. */
export function move(placement: Placement, name: string | undefined, to: Place): Placement {
  const from = PLACES.find((place) => name !== undefined && placement[place] === name);
  const next: Partial<Record<Place, string>> = { ...placement };
  const there = placement[to];
  if (name === undefined) delete next[to];
  else next[to] = name;
  if (from && from !== to) {
    if (there === undefined) delete next[from];
    else next[from] = there;
  }
  return next;
}

export function swapped(placement: Placement): Placement {
  const next: Partial<Record<Place, string>> = {};
  const other = {
    rows: "columns",
    columns: "rows",
    superRows: "superColumns",
    superColumns: "superRows",
  } as const;
  for (const place of PLACES) {
    const name = placement[other[place]];
    if (name !== undefined) next[place] = name;
  }
  return next;
}

export function pickersOf(axes: readonly Axis[], placement: Placement): readonly Axis[] {
  const placed = new Set(Object.values(placement));
  return axes.filter((axis) => !placed.has(axis.name));
}

/** One row or one column of tiles. */
export interface Track {
  start: number;
  outer: number;
  inner: number;
}

export interface Group {
  start: number;
  end: number;
  label: string;
}

export interface Tracks {
  tracks: readonly Track[];
  groups: readonly Group[];
  length: number;
}

interface TrackSizes {
  pitch: number;
  /** Before each group; a strip with the group's label lies there. */
  lead: number;
  gap: number;
}

/** Lays the values of two axes one after the other, those of the inner one running fastest. */
export function layTracks(
  outer: Axis | undefined,
  inner: Axis | undefined,
  { pitch, lead, gap }: TrackSizes,
  isShown: (outer: number, inner: number) => boolean = () => true,
): Tracks {
  const tracks: Track[] = [];
  const groups: Group[] = [];
  let at = 0;
  for (let group = 0; group < (outer?.labels.length ?? 1); group += 1) {
    const inside = Array.from({ length: inner?.labels.length ?? 1 }, (_, value) => value).filter((value) =>
      isShown(group, value),
    );
    if (inside.length === 0) continue;
    if (outer && groups.length > 0) at += gap;
    const start = at;
    if (outer) at += lead;
    for (const value of inside) {
      tracks.push({ start: at, outer: group, inner: value });
      at += pitch;
    }
    if (outer) groups.push({ start, end: at, label: outer.labels[group] ?? "" });
  }
  return { tracks, groups, length: at };
}

export interface Range {
  first: number;
  /** Exclusive. */
  end: number;
}

/** The tracks that touch `from` to `to`. */
export function inSight({ tracks }: Tracks, from: number, to: number, pitch: number): Range {
  let low = 0;
  let high = tracks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tracks[middle]?.start ?? 0) + pitch <= from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < tracks.length && (tracks[end]?.start ?? 0) < to) end += 1;
  return { first: low, end };
}

export interface Sight {
  top: number;
  left: number;
  width: number;
  height: number;
}

export interface Window {
  rows: Range;
  columns: Range;
}

/** What to draw: all that is in sight, one more on each side as far as `most` tiles allow, never more. */
export function windowOf(
  rows: Tracks,
  columns: Tracks,
  sight: Sight,
  pitch: { x: number; y: number },
  most: number,
): Window {
  let across = inSight(columns, sight.left, sight.left + sight.width, pitch.x);
  let down = inSight(rows, sight.top, sight.top + sight.height, pitch.y);
  across = { first: across.first, end: Math.min(across.end, across.first + most) };
  down = shorten(down, Math.max(1, Math.floor(most / Math.max(1, size(across)))));
  const taller = widen(down, rows.tracks.length);
  if (size(taller) * size(across) <= most) down = taller;
  const wider = widen(across, columns.tracks.length);
  if (size(down) * size(wider) <= most) across = wider;
  return { rows: down, columns: across };
}

/** How high the board's window may be so that all in sight are at most `most` tiles. */
export function heightFor(
  width: number,
  pitch: { x: number; y: number },
  wanted: number,
  most: number,
): number {
  const across = Math.ceil(width / pitch.x) + 1;
  const down = Math.max(2, Math.floor(most / across));
  return Math.min(wanted, (down - 1) * pitch.y);
}

function size({ first, end }: Range): number {
  return end - first;
}

function widen({ first, end }: Range, count: number): Range {
  return { first: Math.max(0, first - 1), end: Math.min(count, end + 1) };
}

function shorten({ first, end }: Range, most: number): Range {
  return { first, end: Math.min(end, first + most) };
}

/** Cells by their coordinates; a cell to which an axis does not apply lies at each of its values. */
export class Finder {
  readonly #cells = new Map<string, Cell>();
  readonly #masks = new Map<string, readonly boolean[]>();

  constructor(cells: readonly Cell[]) {
    for (const cell of cells) {
      this.#cells.set(cell.coordinates.join(), cell);
      const mask = cell.coordinates.map((value) => value < 0);
      this.#masks.set(mask.join(), mask);
    }
  }

  at(coordinates: readonly number[]): Cell | undefined {
    for (const mask of this.#masks.values()) {
      const cell = this.#cells.get(coordinates.map((value, axis) => (mask[axis] ? -1 : value)).join());
      if (cell) return cell;
    }
    return undefined;
  }
}
