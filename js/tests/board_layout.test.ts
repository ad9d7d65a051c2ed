import { expect, test } from "vitest";
import { columnsOf, isHidden, sorted } from "../src/board/arrange";
import { CellReader } from "../src/board/cells";
import {
  defaultPlacement,
  Finder,
  heightFor,
  inSight,
  layTracks,
  move,
  pickersOf,
  swapped,
  validPlacement,
  windowOf,
} from "../src/board/layout";
import type { Axis, BoardState } from "../src/lib/board_messages";
import { AXES, boardState, cellsOf, done } from "./board_fixture";

const NUMBERS = (name: string, count: number): Axis => ({
  name,
  labels: Array.from({ length: count }, (_, at) => String(at)),
});

test("axes lie where the static twin puts them", () => {
  expect(defaultPlacement([])).toEqual({});
  expect(defaultPlacement(AXES.slice(0, 1))).toEqual({ columns: "animal" });
  expect(defaultPlacement(AXES.slice(0, 2))).toEqual({ rows: "animal", columns: "style" });
  expect(defaultPlacement(AXES.slice(0, 3))).toEqual({
    superRows: "animal",
    rows: "style",
    columns: "guidance_scale",
  });
  const four = { superRows: "animal", rows: "style", superColumns: "guidance_scale", columns: "seed" };
  expect(defaultPlacement(AXES)).toEqual(four);
  const six = [...AXES.slice(0, 3), NUMBERS("steps", 3), NUMBERS("more", 2), AXES[3] as Axis];
  expect(defaultPlacement(six)).toEqual(four);
  expect(pickersOf(six, defaultPlacement(six)).map(({ name }) => name)).toEqual(["steps", "more"]);
});

test("an axis that is put where another lies changes places with it", () => {
  const placed = { rows: "a", columns: "b" };
  expect(move(placed, "a", "columns")).toEqual({ rows: "b", columns: "a" });
  expect(move(placed, "c", "rows")).toEqual({ rows: "c", columns: "b" });
  expect(move(placed, "a", "superRows")).toEqual({ columns: "b", superRows: "a" });
  expect(move(placed, undefined, "rows")).toEqual({ columns: "b" });
  expect(swapped({ rows: "a", superColumns: "c" })).toEqual({ columns: "a", superRows: "c" });
});

test("a placement of axes that are gone is left out, and of none at all made anew", () => {
  expect(validPlacement(AXES, { rows: "seed", columns: "gone" })).toEqual({ rows: "seed" });
  expect(validPlacement(AXES, { rows: "gone" })).toEqual(defaultPlacement(AXES));
});

test("groups lie apart, with room for their names", () => {
  const laid = layTracks(AXES[0], AXES[1], { pitch: 100, lead: 20, gap: 10 });
  expect(laid.tracks.map(({ start }) => start)).toEqual([20, 120, 220, 350, 450, 550]);
  expect(laid.groups.map(({ label, start }) => [label, start])).toEqual([
    ["fox", 0],
    ["owl", 330],
  ]);
  expect(laid.length).toBe(650);
  const without = layTracks(AXES[0], AXES[1], { pitch: 100, lead: 20, gap: 10 }, (outer) => outer === 1);
  expect(without.groups.map(({ label }) => label)).toEqual(["owl"]);
});

test.each([
  [1280, 640],
  [3000, 2000],
  [320, 4000],
])(
  "in a window of %i × %i no more than 80 tiles are drawn, and none in sight is missing",
  (width, height) => {
    const pitch = { x: 120, y: 140 };
    const rows = layTracks(undefined, NUMBERS("rows", 100), { pitch: pitch.y, lead: 0, gap: 0 });
    const columns = layTracks(undefined, NUMBERS("columns", 60), { pitch: pitch.x, lead: 0, gap: 0 });
    const allowed = heightFor(width, pitch, height, 80);
    for (const [top, left] of [
      [0, 0],
      [1234, 777],
      [14_000 - allowed, 7_200 - width],
    ] as const) {
      const seen = windowOf(rows, columns, { top, left, width, height: allowed }, pitch, 80);
      const count = (seen.rows.end - seen.rows.first) * (seen.columns.end - seen.columns.first);
      expect(count).toBeLessThanOrEqual(80);
      const down = inSight(rows, top, top + allowed, pitch.y);
      const across = inSight(columns, left, left + width, pitch.x);
      expect(seen.rows.first).toBeLessThanOrEqual(down.first);
      expect(seen.rows.end).toBeGreaterThanOrEqual(down.end);
      expect(seen.columns.first).toBeLessThanOrEqual(across.first);
      expect(seen.columns.end).toBeGreaterThanOrEqual(across.end);
    }
  },
);

function cells(rows: Record<string, unknown>, count: number) {
  return new CellReader().read({ ...rows, count } as Partial<BoardState>);
}

test("a cell to which an axis does not apply lies at each of its values", () => {
  const finder = new Finder(cells({ c0: [[0, -1], "QUEUED"], c1: [[1, 0], "QUEUED"] }, 2));
  expect(finder.at([0, 0])?.place).toBe(0);
  expect(finder.at([0, 5])?.place).toBe(0);
  expect(finder.at([1, 0])?.place).toBe(1);
  expect(finder.at([1, 1])).toBeUndefined();
});

test("a row that has not changed gives the same cell, and rows that are not here yet are left out", () => {
  const reader = new CellReader();
  const state = boardState() as unknown as BoardState;
  const before = reader.read(state);
  expect(before).toHaveLength(48);
  expect(reader.read({ ...state })).toBe(before);
  const after = reader.read({ ...state, c3: [[0, 0, 0, 3], "FAILED"], count: 60 });
  expect(after).toHaveLength(48);
  expect(after[2]).toBe(before[2]);
  expect(after[3]).not.toBe(before[3]);
});

test("cells are sorted by any column, those without a value last", () => {
  const [cost, , rating, sharpness] = columnsOf(["sharpness"]);
  const some = cells({ ...cellsOf([NUMBERS("n", 4)], done), c1: [[1], "FAILED"] }, 4);
  const places = (all: readonly { place: number }[]) => all.map(({ place }) => place);
  expect(cost && places(sorted(some, cost, true))).toEqual([3, 2, 0, 1]);
  expect(sharpness && places(sorted(some, sharpness, false))).toEqual([0, 2, 3, 1]);
  expect(rating && places(sorted(some, rating, true))).toEqual([0, 1, 2, 3]);
});

test("a rule hides below, above or without a value", () => {
  const columns = columnsOf(["sharpness"]);
  const [first, second] = cells({ c0: [[0], ...done(5)], c1: [[1], "FAILED"] }, 2);
  if (!first || !second) throw new Error("no cells");
  const hides = (is: "below" | "above" | "missing", value: number) =>
    [first, second].map((cell) => isHidden(cell, { column: "score:sharpness", is, value }, columns));
  expect(hides("below", 0.6)).toEqual([true, false]);
  expect(hides("above", 0.6)).toEqual([false, false]);
  expect(hides("missing", 0)).toEqual([false, true]);
  expect(hides("below", Number.NaN)).toEqual([false, false]);
});
