/** A view's model where there is no kernel: what a kernel would answer comes out of the page, a moment later. */

import { GLB } from "../lib/media";
import type { Buffers } from "../lib/messages";
import type { Listener, WidgetModel } from "../lib/widget";
import type { Stored } from "./stored";

export const LEFT_OUT = "the original is not in this file";
/** The viewer would be a script from a Blob, which such a page forbids itself. */
export const NO_SOLIDS = "only a notebook does, this file has its small picture";

export abstract class PageModel<State extends object, Event> implements WidgetModel {
  protected readonly stored: Stored;
  readonly #values = new Map<string, unknown>();
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(stored: Stored) {
    this.stored = stored;
    this.#values.set("state", stored.json("state"));
  }

  protected get state(): State {
    return this.#values.get("state") as State;
  }

  /** Puts another state in the place of the one there is, as a kernel's message would. */
  protected set state(state: State) {
    this.#values.set("state", state);
    for (const listener of this.#listeners.get("change:state") ?? []) listener();
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  set(key: string, value: unknown): void {
    if (key !== "state") this.#values.set(key, value);
  }

  save_changes(): void {}

  on(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event?: string | null, listener?: Listener | null): void {
    for (const [name, listeners] of this.#listeners) {
      if (event && name !== event) continue;
      if (listener) listeners.delete(listener);
      else listeners.clear();
    }
  }

  send(content: unknown): void {
    setTimeout(() => this.answer(content as Event));
  }

  /** Answers as the kernel would. What only a kernel can do is left undone. */
  protected abstract answer(event: Event): void;

  protected tell(content: unknown, buffers: Buffers = []): void {
    if (!content) return;
    for (const listener of this.#listeners.get("msg:custom") ?? []) listener(content, buffers);
  }

  /** Small pictures, one behind the other; of those that are not here nothing. */
  protected tellThumbnails(cells: readonly number[], digestOf: (cell: number) => string): void {
    const found = cells.map((cell) => {
      const digest = digestOf(cell);
      return { cell, digest, bytes: this.stored.bytes(`thumbnail-${digest}`) ?? new Uint8Array() };
    });
    const all = new Uint8Array(found.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const { bytes } of found) {
      all.set(bytes, at);
      at += bytes.length;
    }
    const pictures = found.map(({ cell, digest, bytes }) => [cell, digest, bytes.length]);
    this.tell({ kind: "thumbnails", pictures }, [all.buffer]);
  }

  protected tellOriginal(index: number, digest: string, content_type: string): void {
    const bytes = this.stored.bytes(`original-${digest}`);
    const about = { which: "original", index, content_type };
    const error = content_type === GLB ? NO_SOLIDS : LEFT_OUT;
    if (!bytes) this.tell({ kind: "media-error", ...about, error });
    else this.tell({ kind: "media", ...about, part: 0, parts: 1, size_bytes: bytes.length }, [bytes.buffer]);
  }
}
