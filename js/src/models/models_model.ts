/** The models view's signals: the order the kernel sent, the cards that were asked for, what is looked at closely. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Cell } from "../board/cells";
import { Thumbs } from "../board/thumbs";
import type { Buffers } from "../lib/messages";
import type { Live } from "../lib/model";
import type { Ask, Details, ModelRow, ModelsEvent, ModelsMessage, ModelsState } from "../lib/models_messages";

export interface ModelsProps {
  models: ModelsModel;
}

const BATCH = 100;
const ASK_AGAIN_MS = 8_000;

interface Kept {
  row: Signal<ModelRow | undefined>;
  asked: number;
}

export class ModelsModel {
  readonly live: Live<ModelsState, ModelsEvent>;
  readonly order = signal<Uint32Array | undefined>(undefined);
  /** Place of the model that is looked at closely; -1 for none. */
  readonly opened: Signal<number>;
  readonly details = signal<Details | undefined>(undefined);
  readonly scroll: Signal<number>;
  /** Place in the order of the card that the keys act on. */
  readonly active: Signal<number>;
  readonly areFiltersOpen: Signal<boolean>;
  /** What is said for a moment: copied, and the like. */
  readonly notice = signal("");
  readonly query: ReadonlySignal<Ask>;
  readonly thumbs: Thumbs;
  /** Writes a cell into the notebook, and says whether that was possible; nothing where the host lets nobody. */
  readonly insert?: (source: string) => boolean;
  readonly #rows = new Map<number, Kept>();
  readonly #wanted = new Set<number>();
  #isDue = false;
  #fading?: ReturnType<typeof setTimeout>;

  constructor(live: Live<ModelsState, ModelsEvent>, insert?: (source: string) => boolean) {
    this.live = live;
    this.insert = insert;
    this.thumbs = new Thumbs((cells) => live.send({ kind: "thumbnails", cells }));
    this.opened = this.#kept("opened", -1);
    this.scroll = this.#kept("scroll", 0);
    this.active = this.#kept("active", 0);
    this.areFiltersOpen = this.#kept("filters", false);
    this.query = computed(() => {
      const state = live.state.value;
      return {
        kind: "query",
        words: state.words ?? "",
        filters: state.filters ?? {},
        status: state.status ?? "active",
        sort: state.sort ?? "best",
        is_descending: state.is_descending ?? false,
      };
    });
  }

  /** Asks for the order, and for the details that were open before the node was put back. */
  begin(): void {
    this.live.send({ kind: "order" });
    if (this.opened.peek() >= 0) this.live.send({ kind: "details", cell: this.opened.peek() });
  }

  ask(changes: Partial<Ask>): void {
    this.scroll.value = 0;
    this.active.value = 0;
    this.live.send({ ...this.query.peek(), ...changes });
  }

  toggleFilter(name: string, value: string): void {
    const { filters } = this.query.peek();
    const chosen = filters[name] ?? [];
    const next = chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value];
    const rest = Object.fromEntries(Object.entries(filters).filter(([other]) => other !== name));
    this.ask({ filters: next.length > 0 ? { ...rest, [name]: next } : rest });
  }

  place(at: number): number {
    return this.order.value?.[at] ?? -1;
  }

  get count(): number {
    return this.order.value?.length ?? 0;
  }

  open(place: number): void {
    if (place < 0) return;
    this.opened.value = place;
    if (this.details.peek()?.cell !== place) this.details.value = undefined;
    this.live.send({ kind: "details", cell: place });
  }

  close(): void {
    this.opened.value = -1;
    this.details.value = undefined;
  }

  row(place: number): ReadonlySignal<ModelRow | undefined> {
    return this.#keep(place).row;
  }

  picture(row: ModelRow): ReadonlySignal<string | undefined> {
    return this.thumbs.get(pictured(row));
  }

  /** Asks soon for what is not here, together with what others want now. */
  want(place: number): void {
    const kept = this.#keep(place);
    const row = kept.row.peek();
    if (row?.[7]) this.thumbs.want(pictured(row));
    if (row || Date.now() - kept.asked < ASK_AGAIN_MS) return;
    kept.asked = Date.now();
    this.#wanted.add(place);
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => this.#flush());
  }

  copy(text: string): void {
    const done = () => this.say("copied");
    navigator.clipboard?.writeText(text).then(done, () => this.say(text));
    if (!navigator.clipboard) this.say(text);
  }

  write(source: string): void {
    if (this.insert?.(source)) this.say("written below: run it");
    else this.copy(source);
  }

  say(words: string): void {
    this.notice.value = words;
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => {
      this.notice.value = "";
    }, 2_500);
  }

  receive(message: ModelsMessage, buffers: Buffers): void {
    switch (message?.kind) {
      case "order":
        this.order.value = numbersOf(buffers[0], message.count);
        break;
      case "items":
        if (!Array.isArray(message.items)) break;
        for (const row of message.items) this.#keep(row[0]).row.value = row;
        break;
      case "thumbnails":
        this.thumbs.receive(message as Parameters<Thumbs["receive"]>[0], buffers);
        break;
      case "details":
        if (message.cell === this.opened.peek()) this.details.value = message;
        break;
    }
  }

  end(): void {
    clearTimeout(this.#fading);
    this.thumbs.clear();
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
    let kept = this.#rows.get(place);
    if (!kept) {
      kept = { row: signal(undefined), asked: 0 };
      this.#rows.set(place, kept);
    }
    return kept;
  }

  /** A choice that outlives the node that shows the view. */
  #kept<Value>(key: string, otherwise: Value): Signal<Value> {
    const choice = signal((this.live.kept(`models:${key}`) as Value | undefined) ?? otherwise);
    choice.subscribe((value) => {
      if (value !== otherwise || this.live.kept(`models:${key}`) !== undefined) {
        this.live.keep(`models:${key}`, value);
      }
    });
    return choice;
  }
}

/** A model as the store of small pictures knows it. */
function pictured([place, endpoint, , , , , , hasPicture]: ModelRow): Cell {
  return { place, digest: endpoint, output: { has_thumbnail: hasPicture } } as unknown as Cell;
}

function numbersOf(buffer: DataView | ArrayBuffer | undefined, count: number): Uint32Array {
  if (!buffer) return new Uint32Array();
  const isView = !(buffer instanceof ArrayBuffer);
  const [bytes, offset] = isView ? [buffer.buffer as ArrayBuffer, buffer.byteOffset] : [buffer, 0];
  const length = Math.min(count * 4, buffer.byteLength - (buffer.byteLength % 4));
  return new Uint32Array(bytes.slice(offset, offset + length));
}
