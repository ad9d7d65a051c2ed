/**
 * A board in a file of its own: the live board over data that stands in the page. There is no kernel and no network.
 *
 * The data stand in elements that a browser never runs, bytes as base64; each is decoded when it is first wanted.
 */

import board from "./board";
import type { BoardEvent, BoardState, CellRow } from "./lib/board_messages";
import type { Buffers } from "./lib/messages";
import type { Listener, WidgetModel } from "./lib/widget";

const LEFT_OUT = "left out of this file for its size";

class PageModel implements WidgetModel {
  readonly #values = new Map<string, unknown>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #home: ParentNode;
  readonly #state: BoardState;

  constructor(home: ParentNode) {
    this.#home = home;
    this.#state = this.#json("state") as BoardState;
    this.#values.set("state", this.#state);
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, value);
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

  /** Answers as the kernel would, a moment later. What only a kernel can do is left undone. */
  send(content: unknown): void {
    setTimeout(() => this.#answer(content as BoardEvent));
  }

  #answer(event: BoardEvent): void {
    if (event.kind === "thumbnails") this.#sendThumbnails(event.cells);
    else if (event.kind === "media") this.#sendOriginal(event.index);
    else if (event.kind === "details") {
      for (const cell of event.cells) this.#tell(this.#json(`details-${cell}`));
    }
  }

  #sendThumbnails(cells: readonly number[]): void {
    const found = cells.map((cell) => {
      const digest = this.#digest(cell);
      return { cell, digest, bytes: this.#bytes(`thumbnail-${digest}`) ?? new Uint8Array() };
    });
    const all = new Uint8Array(found.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const { bytes } of found) {
      all.set(bytes, at);
      at += bytes.length;
    }
    const pictures = found.map(({ cell, digest, bytes }) => [cell, digest, bytes.length]);
    this.#tell({ kind: "thumbnails", pictures }, [all.buffer]);
  }

  #sendOriginal(index: number): void {
    const bytes = this.#bytes(`original-${this.#digest(index)}`);
    const about = { which: "original", index, content_type: this.#row(index)?.[9]?.[1] ?? "" };
    if (!bytes) this.#tell({ kind: "media-error", ...about, error: LEFT_OUT });
    else this.#tell({ kind: "media", ...about, part: 0, parts: 1, size_bytes: bytes.length }, [bytes.buffer]);
  }

  #tell(content: unknown, buffers: Buffers = []): void {
    if (!content) return;
    for (const listener of this.#listeners.get("msg:custom") ?? []) listener(content, buffers);
  }

  #row(cell: number): CellRow | undefined {
    return this.#state[`c${cell}`];
  }

  #digest(cell: number): string {
    return String(this.#row(cell)?.[9]?.[2] ?? "");
  }

  #text(name: string): string | undefined {
    if (!/^[a-z]+(-[0-9a-f]{1,64})?$/.test(name)) return undefined;
    return this.#home.querySelector(`script[data-fal-nb="${name}"]`)?.textContent ?? undefined;
  }

  #json(name: string): unknown {
    const text = this.#text(name);
    return text === undefined ? undefined : JSON.parse(text);
  }

  #bytes(name: string): Uint8Array<ArrayBuffer> | undefined {
    const text = this.#text(name);
    return text === undefined ? undefined : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  }
}

function mount(): void {
  const el = document.querySelector<HTMLElement>("main[data-fal-nb]");
  if (!el) return;
  const model = new PageModel(document);
  el.replaceChildren();
  board.render({ model, el });
}

mount();
