/** Thumbnails: asked for in batches and only for what is drawn, kept by content, shown from Blob URLs. */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Thumbnails } from "../lib/board_messages";
import type { Buffers } from "../lib/messages";
import type { Cell } from "./cells";

export const BATCH = 50;
const MOST_KEPT = 3_000;
const ASK_AGAIN_MS = 8_000;

type Ask = (cells: number[]) => void;

interface Thumb {
  url: Signal<string | undefined>;
  asked: number;
  isSettled: boolean;
}

export class Thumbs {
  readonly #thumbs = new Map<string, Thumb>();
  readonly #wanted = new Map<string, number>();
  readonly #ask: Ask;
  #isDue = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  get({ digest }: Cell): ReadonlySignal<string | undefined> {
    return this.#thumb(digest).url;
  }

  /** Asks soon, together with what others want now. */
  want(cell: Cell): void {
    if (!cell.output?.has_thumbnail) return;
    const thumb = this.#thumb(cell.digest);
    if (thumb.isSettled || Date.now() - thumb.asked < ASK_AGAIN_MS) return;
    thumb.asked = Date.now();
    this.#wanted.set(cell.digest, cell.place);
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => this.#flush());
  }

  receive({ pictures }: Thumbnails, buffers: Buffers): void {
    const buffer = buffers[0];
    if (!buffer || !Array.isArray(pictures)) return;
    const bytes =
      buffer instanceof ArrayBuffer
        ? new Uint8Array(buffer)
        : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    let at = 0;
    for (const [, digest, length] of pictures) {
      const thumb = this.#thumbs.get(digest);
      if (thumb && !thumb.isSettled && length > 0 && at + length <= bytes.length) {
        const picture = new Blob([bytes.slice(at, at + length)], { type: "image/webp" });
        thumb.url.value = URL.createObjectURL(picture);
      }
      if (thumb) thumb.isSettled = true;
      at += length;
    }
  }

  clear(): void {
    for (const thumb of this.#thumbs.values()) this.#drop(thumb);
    this.#thumbs.clear();
  }

  #flush(): void {
    this.#isDue = false;
    const cells = [...this.#wanted.values()];
    this.#wanted.clear();
    for (let at = 0; at < cells.length; at += BATCH) this.#ask(cells.slice(at, at + BATCH));
  }

  #thumb(digest: string): Thumb {
    let thumb = this.#thumbs.get(digest);
    if (!thumb) {
      thumb = { url: signal(undefined), asked: 0, isSettled: false };
      this.#thumbs.set(digest, thumb);
      if (this.#thumbs.size > MOST_KEPT) this.#dropOldest();
    }
    return thumb;
  }

  #dropOldest(): void {
    const oldest = this.#thumbs.entries().next().value;
    if (!oldest) return;
    this.#thumbs.delete(oldest[0]);
    this.#drop(oldest[1]);
  }

  #drop(thumb: Thumb): void {
    if (thumb.url.value) URL.revokeObjectURL(thumb.url.value);
    thumb.url.value = undefined;
  }
}
