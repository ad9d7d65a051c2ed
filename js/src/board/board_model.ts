/** A board's signals: what the kernel says, and what the person has chosen in this page. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Axis, BoardEvent, BoardState } from "../lib/board_messages";
import type { Live } from "../lib/model";
import { type Column, columnsOf, type HideRule, isHidden, type Sort, sorted } from "./arrange";
import { type Cell, CellReader } from "./cells";
import { Finder, type Placement, pickersOf, validPlacement } from "./layout";
import type { Shelf } from "./shelf";

export type LiveBoard = Live<BoardState, BoardEvent>;

/** Sides of a tile's picture in pixels. */
export const SIZES = { small: 112, medium: 152, large: 224 } as const;
export type Size = keyof typeof SIZES;

/** As many outputs can be compared. */
export const MOST_COMPARED = 4;

export interface BoardProps {
  board: BoardModel;
}

export class BoardModel {
  readonly live: LiveBoard;
  readonly shelf: Shelf;
  readonly cells: ReadonlySignal<readonly Cell[]>;
  readonly axes: ReadonlySignal<readonly Axis[]>;
  readonly columns: ReadonlySignal<readonly Column[]>;
  readonly placement: ReadonlySignal<Placement>;
  readonly pickers: ReadonlySignal<readonly Axis[]>;
  readonly finder: ReadonlySignal<Finder>;
  /** The cells one after the other where they are sorted; undefined where they lie by their axes. */
  readonly order: ReadonlySignal<readonly Cell[] | undefined>;

  readonly wanted: Signal<Placement | undefined>;
  readonly picked: Signal<Readonly<Record<string, number>>>;
  readonly size: Signal<Size>;
  readonly sort: Signal<Sort | undefined>;
  readonly rule: Signal<HideRule | undefined>;
  readonly selected: Signal<readonly number[]>;
  readonly scroll: Signal<{ top: number; left: number }>;
  /** Row and column of the tile that the keys act on. */
  readonly active: Signal<{ row: number; column: number }>;

  constructor(live: LiveBoard, shelf: Shelf) {
    this.live = live;
    this.shelf = shelf;
    const reader = new CellReader();
    const axes = live.field("axes");
    const scores = live.field("scores");
    this.cells = computed(() => reader.read(live.state.value));
    this.axes = computed(() => axes.value ?? []);
    this.columns = computed(() => columnsOf(scores.value ?? []));
    this.wanted = this.#kept<Placement | undefined>("placement", undefined);
    this.picked = this.#kept<Readonly<Record<string, number>>>("picked", {});
    this.size = this.#kept<Size>("size", "medium");
    this.sort = this.#kept<Sort | undefined>("sort", undefined);
    this.rule = this.#kept<HideRule | undefined>("rule", undefined);
    this.selected = this.#kept<readonly number[]>("selected", []);
    this.scroll = this.#kept("scroll", { top: 0, left: 0 });
    this.active = this.#kept("active", { row: 0, column: 0 });
    this.placement = computed(() => validPlacement(this.axes.value, this.wanted.value));
    this.pickers = computed(() => pickersOf(this.axes.value, this.placement.value));
    this.finder = computed(() => new Finder(this.cells.value));
    this.order = computed(() => this.#inOrder());
  }

  axis(name: string | undefined): Axis | undefined {
    return this.axes.value.find((axis) => axis.name === name);
  }

  /** The value at which an axis that lies nowhere is looked at. */
  pickedOf(axis: Axis): number {
    const value = this.picked.value[axis.name] ?? 0;
    return value >= 0 && value < axis.labels.length ? value : 0;
  }

  cell(place: number): Cell | undefined {
    const cells = this.cells.value;
    return cells[place]?.place === place ? cells[place] : cells.find((cell) => cell.place === place);
  }

  isHidden(cell: Cell): boolean {
    return isHidden(cell, this.rule.value, this.columns.value);
  }

  toggle(place: number): void {
    const { value } = this.selected;
    this.selected.value = value.includes(place)
      ? value.filter((each) => each !== place)
      : [...value, place].slice(-MOST_COMPARED);
  }

  #inOrder(): readonly Cell[] | undefined {
    const sort = this.sort.value;
    const column = sort && this.columns.value.find(({ id }) => id === sort.column);
    if (!sort || !column) return undefined;
    const shown = this.cells.value.filter((cell) => !this.isHidden(cell));
    return sorted(shown, column, sort.isDescending);
  }

  /** A choice that outlives the node that shows the board. */
  #kept<Value>(key: string, otherwise: Value): Signal<Value> {
    const choice = signal((this.live.kept(`board:${key}`) as Value | undefined) ?? otherwise);
    choice.subscribe((value) => {
      if (value !== otherwise || this.live.kept(`board:${key}`) !== undefined) {
        this.live.keep(`board:${key}`, value);
      }
    });
    return choice;
  }
}
