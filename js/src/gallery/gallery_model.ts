/** A gallery's signals: the order the kernel sent, the tiles that were asked for, what the person has chosen. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Shelf } from "../board/shelf";
import type { BoardMessage } from "../lib/board_messages";
import type {
  Ask,
  Code,
  CodeKind,
  FilterValue,
  GalleryEvent,
  GalleryMessage,
  GalleryState,
  Items,
  OfferKind,
  Order,
} from "../lib/gallery_messages";
import type { Buffers } from "../lib/messages";
import type { Live } from "../lib/model";
import { numbersOf } from "../lib/numbers";
import { type Item, readItem } from "./items";

export type LiveGallery = Live<GalleryState, GalleryEvent>;

/** Heights of a row in pixels. */
export const SIZES = { small: 96, medium: 160, large: 260 } as const;
export type Size = keyof typeof SIZES;
export const MOST_COMPARED = 4;

const NOTICE_MS = 6_000;
const BATCH = 100;
const ASK_AGAIN_MS = 8_000;
/** A choice that the kernel has not answered for so long is not answered any more. */
const ANSWER_MS = 5_000;
const MOST_ITEMS = 4_000;

export interface GalleryProps {
  gallery: GalleryModel;
}

export interface Ordered {
  places: Uint32Array;
  /** Width over height, by place in the order. */
  ratios: Float32Array;
}

/** What the person is writing, and about which output. */
export interface Editing {
  what: "note" | "tags" | OfferKind;
  place: number;
}

interface Kept {
  item: Signal<Item | undefined>;
  asked: number;
  isGone: boolean;
}

const EMPTY: Ordered = { places: new Uint32Array(), ratios: new Float32Array() };

export class GalleryModel {
  readonly live: LiveGallery;
  readonly shelf: Shelf;
  readonly order = signal<Ordered | undefined>(undefined);
  readonly selected = signal<ReadonlySet<number>>(new Set());
  readonly size: Signal<Size>;
  readonly scroll: Signal<number>;
  /** Place in the order of the tile that the keys act on. */
  readonly active: Signal<number>;
  readonly areFiltersOpen: Signal<boolean>;
  /** What is said for a moment: copied, and the like. */
  readonly notice = signal("");
  /** The output that plays because it was asked to. */
  readonly playing = signal<number | undefined>(undefined);
  /** The output whose menu is open. */
  readonly menu = signal<number | undefined>(undefined);
  readonly editing = signal<Editing | undefined>(undefined);
  readonly offers = signal<readonly string[]>([]);
  readonly areKeysShown = signal(false);
  readonly query: ReadonlySignal<Ask>;
  readonly #insert?: (source: string) => boolean;
  readonly #items = new Map<number, Kept>();
  readonly #wanted = new Set<number>();
  #isDue = false;
  #unanswered = 0;
  #selectedAt = 0;
  #parts: (readonly [Uint32Array, Uint16Array] | undefined)[] = [];
  #fading?: ReturnType<typeof setTimeout>;

  /** `insert` writes a cell below the gallery and says whether it could. */
  constructor(live: LiveGallery, shelf: Shelf, insert?: (source: string) => boolean) {
    this.live = live;
    this.shelf = shelf;
    this.#insert = insert;
    this.size = this.#kept<Size>("size", "medium");
    this.scroll = this.#kept("scroll", 0);
    this.active = this.#kept("active", 0);
    this.areFiltersOpen = this.#kept("filters", false);
    this.query = computed(() => {
      const state = live.state.value;
      return {
        kind: "query",
        words: state.words ?? "",
        filters: state.filters ?? {},
        sort: state.sort ?? "created",
        is_descending: state.is_descending ?? true,
        with_hidden: state.with_hidden ?? false,
      };
    });
  }

  /** Whether it stands in a file of its own, where nothing can be rated, tagged or hidden. */
  get isExport(): boolean {
    return this.live.field("is_export").value ?? false;
  }

  /** Asks for the order; said again where the kernel has a newer one than is here. */
  begin(): void {
    this.live.send({ kind: "order" });
  }

  ask(changes: Partial<Ask>): void {
    this.scroll.value = 0;
    this.active.value = 0;
    this.live.send({ ...this.query.peek(), ...changes });
  }

  toggleFilter(name: string, value: FilterValue): void {
    const { filters } = this.query.peek();
    const chosen = filters[name] ?? [];
    const next = chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value];
    const rest = Object.fromEntries(Object.entries(filters).filter(([other]) => other !== name));
    this.ask({ filters: next.length > 0 ? { ...rest, [name]: next } : rest });
  }

  get count(): number {
    return this.order.value?.places.length ?? 0;
  }

  place(at: number): number {
    return this.order.value?.places[at] ?? -1;
  }

  /** What is known of an output; undefined until it was sent. */
  item(place: number): ReadonlySignal<Item | undefined> {
    return this.#keep(place).item;
  }

  /** Asks soon for what is not here, together with what others want now. */
  want(place: number): void {
    const kept = this.#keep(place);
    if (kept.item.peek() || kept.isGone || Date.now() - kept.asked < ASK_AGAIN_MS) return;
    kept.asked = Date.now();
    this.#wanted.add(place);
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => this.#flush());
  }

  toggle(place: number): void {
    this.#select([place], !this.selected.peek().has(place));
  }

  selectTo(from: number, to: number): void {
    const [first, last] = from < to ? [from, to] : [to, from];
    const cells = [...(this.order.peek() ?? EMPTY).places.slice(first, last + 1)];
    this.#select(cells, true);
  }

  /** The outputs that an action is about: those selected, else the one given. */
  meant(place: number): number[] {
    const { value } = this.selected;
    return value.has(place) || place < 0 ? [...value] : [place];
  }

  rate(places: number[], rating: number | null): void {
    this.live.send({ kind: "rate", cells: places, rating });
  }

  hide(places: number[], on: boolean): void {
    this.live.send({ kind: "tag", cells: places, tag: "hidden", on });
    this.say(on ? "hidden; Filters, “show hidden ones” brings it back" : "shown again");
  }

  /** Asks for a cell, or for the path; where it needs another endpoint, asks the person for that first. */
  code(place: number, what: CodeKind, endpoint?: string): void {
    if ((what === "input" || what === "elsewhere") && endpoint === undefined) {
      this.edit({ what, place });
    } else if (endpoint === undefined) {
      this.live.send({ kind: "code", cell: place, what });
    } else {
      this.live.send({ kind: "code", cell: place, what, endpoint });
    }
  }

  edit(editing: Editing | undefined): void {
    this.editing.value = editing;
    this.menu.value = undefined;
    if (editing?.what !== "input" && editing?.what !== "elsewhere") return;
    this.offers.value = [];
    this.live.send({ kind: "offers", cell: editing.place, what: editing.what });
  }

  say(words: string): void {
    this.notice.value = words;
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => {
      this.notice.value = "";
    }, NOTICE_MS);
  }

  receive(message: GalleryMessage, buffers: Buffers): void {
    switch (message?.kind) {
      case "order":
        this.#takeOrder(message, buffers);
        break;
      case "items":
        this.#takeItems(message);
        break;
      case "selection":
        this.#takeSelection(new Set(numbersOf(buffers[0], 0, Uint32Array)));
        break;
      case "code":
        this.#takeCode(message);
        break;
      case "offers":
        if (Array.isArray(message.endpoints)) this.offers.value = message.endpoints.map(String);
        break;
      default:
        this.shelf.receive(message as BoardMessage, buffers);
    }
  }

  close(): void {
    clearTimeout(this.#fading);
  }

  /** Selects at once; the kernel, which hears of it, has the last word. */
  #select(cells: number[], on: boolean): void {
    const next = new Set(this.selected.peek());
    for (const cell of cells) {
      if (on) next.add(cell);
      else next.delete(cell);
    }
    this.selected.value = next;
    this.#unanswered += 1;
    this.#selectedAt = Date.now();
    this.live.send({ kind: "select", cells, on });
  }

  /** Of several choices in a row only the last answer counts: an earlier one knows nothing of the later choices. */
  #takeSelection(selected: ReadonlySet<number>): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    if (this.#unanswered > 0 && Date.now() - this.#selectedAt < ANSWER_MS) return;
    this.#unanswered = 0;
    this.selected.value = selected;
  }

  #takeOrder({ count, part, parts }: Order, buffers: Buffers): void {
    if (part === 0) this.#parts = new Array(parts).fill(undefined);
    if (this.#parts.length !== parts) return;
    const places = numbersOf(buffers[0], 0, Uint32Array, count);
    const ratios = numbersOf(buffers[0], 4 * count, Uint16Array, count);
    this.#parts[part] = [places, ratios];
    if (this.#parts.some((each) => each === undefined)) return;
    const all = this.#parts as (readonly [Uint32Array, Uint16Array])[];
    this.#parts = [];
    const length = all.reduce((sum, [each]) => sum + each.length, 0);
    const order = { places: new Uint32Array(length), ratios: new Float32Array(length) };
    let at = 0;
    for (const [own, shapes] of all) {
      order.places.set(own, at);
      for (let index = 0; index < shapes.length; index += 1) {
        order.ratios[at + index] = Math.max(0.1, (shapes[index] as number) / 1000);
      }
      at += own.length;
    }
    this.order.value = order;
  }

  #takeItems({ items }: Items): void {
    if (!Array.isArray(items)) return;
    for (const row of items) {
      const kept = this.#keep(row[0]);
      kept.item.value = readItem(row);
      kept.isGone = kept.item.value === undefined;
    }
  }

  /** What is to be copied is copied; any other cell is written into the notebook, where the host lets a page do so. */
  #takeCode({ what, text, notes = [] }: Code): void {
    const told = notes.length > 0 ? ` (${notes.join("; ")})` : "";
    const isCopied = what === "path" || what === "again";
    if (!isCopied && this.#insert?.(text)) {
      this.say(`a cell was written below${told}`);
      return;
    }
    const words = what === "path" ? "the path" : "the cell";
    const { clipboard } = navigator;
    if (!clipboard) {
      this.say(text);
      return;
    }
    clipboard.writeText(text).then(
      () => this.say(`copied ${words}${told}`),
      () => this.say(text),
    );
  }

  #flush(): void {
    this.#isDue = false;
    const places = [...this.#wanted];
    this.#wanted.clear();
    for (let at = 0; at < places.length; at += BATCH) {
      this.live.send({ kind: "items", cells: places.slice(at, at + BATCH) });
    }
  }

  #keep(place: number): Kept {
    let kept = this.#items.get(place);
    if (!kept) {
      kept = { item: signal(undefined), asked: 0, isGone: false };
      this.#items.set(place, kept);
      if (this.#items.size > MOST_ITEMS) {
        const [oldest] = this.#items.keys();
        this.#items.delete(oldest as number);
      }
    }
    return kept;
  }

  /** A choice that outlives the node that shows the gallery. */
  #kept<Value>(key: string, otherwise: Value): Signal<Value> {
    const choice = signal((this.live.kept(`gallery:${key}`) as Value | undefined) ?? otherwise);
    choice.subscribe((value) => {
      if (value !== otherwise || this.live.kept(`gallery:${key}`) !== undefined) {
        this.live.keep(`gallery:${key}`, value);
      }
    });
    return choice;
  }
}
