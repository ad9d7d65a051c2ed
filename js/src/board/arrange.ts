/** Columns of numbers by which cells are sorted and hidden. */

import { money, seconds } from "../lib/format";
import type { Cell } from "./cells";

export interface Column {
  id: string;
  name: string;
  value(cell: Cell): number | undefined;
  words(value: number, currency: string | null | undefined): string;
}

const FIXED: readonly Column[] = [
  { id: "cost", name: "cost", value: (cell) => cell.cost, words: money },
  { id: "time", name: "time", value: (cell) => cell.seconds, words: seconds },
  { id: "rating", name: "rating", value: (cell) => cell.rating, words: (value) => "★".repeat(value) },
];

/** Cost, time, rating and each score that a cell may have. */
export function columnsOf(scores: readonly string[]): readonly Column[] {
  return [
    ...FIXED,
    ...scores.map((name, at) => ({
      id: `score:${name}`,
      name,
      value: (cell: Cell) => cell.scores[at],
      words: (value: number) => String(Number(value.toPrecision(4))),
    })),
  ];
}

export interface Sort {
  column: string;
  isDescending: boolean;
}

export interface HideRule {
  column: string;
  is: "below" | "above" | "missing";
  value: number;
}

/** Cells in the order of a column; those without a value come last, in the order of the plan. */
export function sorted(cells: readonly Cell[], column: Column, isDescending: boolean): readonly Cell[] {
  const sign = isDescending ? -1 : 1;
  return [...cells].sort((a, b) => {
    const [left, right] = [column.value(a), column.value(b)];
    if (left === undefined || right === undefined) {
      return Number(left === undefined) - Number(right === undefined) || a.place - b.place;
    }
    return sign * (left - right) || a.place - b.place;
  });
}

/** Whether a rule hides the cell; a cell without a value is hidden only where that is what was asked. */
export function isHidden(cell: Cell, rule: HideRule | undefined, columns: readonly Column[]): boolean {
  const column = rule && columns.find(({ id }) => id === rule.column);
  if (!rule || !column) return false;
  const value = column.value(cell);
  if (rule.is === "missing") return value === undefined;
  if (value === undefined || !Number.isFinite(rule.value)) return false;
  return rule.is === "below" ? value < rule.value : value > rule.value;
}
