/**
 * The bytes and words of one board, shared by every place in the page that shows it, and by what is opened above it.
 *
 * A front end takes outputs away and puts them back, so a shelf outlives the last board for a while.
 */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { BoardEvent, BoardMessage, Details } from "../lib/board_messages";
import { MediaStore } from "../lib/media";
import type { Buffers } from "../lib/messages";
import type { Cell } from "./cells";
import { Thumbs } from "./thumbs";

const MOST_ORIGINALS = 40;
const KEEP_MS = 30_000;
const CLOSE_MS = 1_500;

type Send = (event: BoardEvent) => void;

export class Shelf {
  readonly media = new MediaStore(undefined, MOST_ORIGINALS);
  readonly thumbs = new Thumbs((cells) => this.send({ kind: "thumbnails", cells }));
  readonly #details = new Map<number, { about: string; words: Signal<Details | undefined> }>();
  readonly #senders = new Set<Send>();
  readonly #onEmpty: () => void;
  readonly #opened = new Set<() => void>();
  #release?: () => void;
  #closing?: ReturnType<typeof setTimeout>;
  #emptying?: ReturnType<typeof setTimeout>;

  constructor(onEmpty: () => void = () => {}) {
    this.#onEmpty = onEmpty;
  }

  /** Begins to be used by one more board; returns how to end it. */
  hold(send: Send): () => void {
    clearTimeout(this.#closing);
    clearTimeout(this.#emptying);
    this.#senders.add(send);
    this.#release ??= this.media.hold((request) => this.send(request));
    return () => {
      if (!this.#senders.delete(send) || this.#senders.size > 0) return;
      this.#closing = setTimeout(() => this.closeOpened(), CLOSE_MS);
      this.#emptying = setTimeout(() => this.#empty(), KEEP_MS);
    };
  }

  send(event: BoardEvent): void {
    [...this.#senders].at(-1)?.(event);
  }

  /** Keeps how to close something that stands above the page, for when the board is gone for good. */
  opened(close: () => void): () => void {
    this.#opened.add(close);
    return () => this.#opened.delete(close);
  }

  closeOpened(): void {
    for (const close of [...this.#opened]) close();
  }

  /** The arguments of a cell and all there is to say of it, asked for when first wanted and after it has changed. */
  details(cell: Cell): ReadonlySignal<Details | undefined> {
    let known = this.#details.get(cell.place);
    const about = `${cell.state} ${cell.record} ${cell.digest} ${cell.reason}`;
    if (!known) {
      known = { about: "", words: signal(undefined) };
      this.#details.set(cell.place, known);
    }
    if (known.about !== about) {
      known.about = about;
      this.send({ kind: "details", cells: [cell.place] });
    }
    return known.words;
  }

  /** Asks for the words of a cell anew when they are next wanted: a person has changed them. */
  forget(place: number): void {
    const known = this.#details.get(place);
    if (known) known.about = "";
  }

  receive(message: BoardMessage, buffers: Buffers): void {
    if (message?.kind === "thumbnails") this.thumbs.receive(message, buffers);
    else if (message?.kind === "details") this.#takeDetails(message);
    else this.media.receive(message, buffers);
  }

  #takeDetails(details: Details): void {
    const known = this.#details.get(details.cell);
    if (known) known.words.value = details;
  }

  #empty(): void {
    this.closeOpened();
    this.#release?.();
    this.#release = undefined;
    this.thumbs.clear();
    this.#details.clear();
    this.#onEmpty();
  }
}

const shelves = new Map<string, Shelf>();

export function shelfOf(view: string | undefined): Shelf {
  if (!view) return new Shelf();
  let shelf = shelves.get(view);
  if (!shelf) {
    shelf = new Shelf(() => shelves.delete(view));
    shelves.set(view, shelf);
  }
  return shelf;
}
