/** The outputs of an exported gallery: found and sorted in the page, by the rules of the kernel. */

import type { FilterValue, ItemRow } from "../lib/gallery_messages";
import type { Stored } from "./stored";

export interface Call {
  record: number;
  arguments: Record<string, unknown>;
  request_id: string | null;
  note: string;
  backend: string;
  sweep: string;
  again: string;
}

export interface Table {
  columns: string[];
  records: number[];
  rows: unknown[][];
}

export interface Question {
  words: string;
  filters: Record<string, FilterValue[]>;
  sort: string;
  is_descending: boolean;
}

/** Where in a row stands what outputs are sorted by; `created` is the order they were made in. */
const SORTED: Record<string, number> = {
  rating: 16,
  cost: 14,
  total_s: 15,
  endpoint: 11,
  seed: 13,
  prompt: 12,
};
const RECORD = 9;
const TAGS = 17;

export class GalleryData {
  readonly rows: readonly ItemRow[];
  readonly ratios: readonly number[];
  readonly table: Table;
  readonly #calls: ReadonlyMap<number, Call>;
  readonly #texts: Record<string, string>;
  readonly #found = new Map<number, string>();

  constructor(stored: Stored) {
    const { rows, ratios } = stored.json("items") as { rows: ItemRow[]; ratios: number[] };
    this.rows = rows;
    this.ratios = ratios;
    this.table = stored.json("table") as Table;
    this.#calls = new Map((stored.json("calls") as Call[]).map((call) => [call.record, call]));
    this.#texts = stored.json("texts") as Record<string, string>;
  }

  record(place: number): number {
    return (this.rows[place]?.[RECORD] as number | undefined) ?? -1;
  }

  digest(place: number): string {
    return String(this.rows[place]?.[3] ?? "");
  }

  call(place: number): Call | undefined {
    return this.#calls.get(this.record(place));
  }

  text(place: number): string {
    return this.#texts[place] ?? "";
  }

  /** Places that pass, in order: numbers before texts, what is not known last. */
  find(question: Question): number[] {
    const words = question.words.toLowerCase().split(/\s+/).filter(Boolean);
    const filters = Object.entries(question.filters);
    const passing = this.rows
      .map((_, place) => place)
      .filter((place) => filters.every(([name, values]) => this.#has(place, name, values)))
      .filter((place) => words.every((word) => this.#words(place).includes(word)));
    const at = SORTED[question.sort];
    const value = (place: number): unknown =>
      at === undefined ? this.record(place) : this.rows[place]?.[at];
    const sign = question.is_descending ? -1 : 1;
    const known = passing.filter((place) => value(place) != null);
    known.sort(
      (one, other) =>
        sign * (compare(value(one), value(other)) || this.record(one) - this.record(other)) || one - other,
    );
    return [...known, ...passing.filter((place) => value(place) == null)];
  }

  #has(place: number, name: string, values: readonly FilterValue[]): boolean {
    const row = this.rows[place];
    const call = this.call(place);
    if (!row || !call) return false;
    const tags = (row[TAGS] as string[] | undefined) ?? [];
    if (name === "tags") return values.every((each) => tags.includes(String(each)));
    const own: Record<string, unknown> = {
      kind: row[1],
      endpoint: row[11],
      rating: row[16],
      backend: call.backend,
      sweep: call.sweep,
    };
    const value = name in own ? own[name] : call.arguments[name];
    return values.some((each) => each === value);
  }

  /** Everything that words are looked for in, in small letters. */
  #words(place: number): string {
    const record = this.record(place);
    let words = this.#found.get(record);
    if (words === undefined) {
      const call = this.call(place);
      const row = this.rows[place];
      const all = [row?.[11], JSON.stringify(call?.arguments ?? {}), call?.note, row?.[20]];
      words = all.join("\n").toLowerCase();
      this.#found.set(record, words);
    }
    return words;
  }
}

function compare(one: unknown, other: unknown): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "number") return -1;
  if (typeof other === "number") return 1;
  const [first, second] = [String(one).toLowerCase(), String(other).toLowerCase()];
  return first < second ? -1 : first > second ? 1 : 0;
}
