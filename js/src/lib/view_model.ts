/** The model a mounted view gets from the hub: the surface of an anywidget model over the hub's own state. */

import type { Buffers, ViewState } from "./messages";
import type { Listener, WidgetModel } from "./widget";

interface Source {
  /** What the view keeps in the page; it outlives a mount, so a replaced node looks as the one before it. */
  local: Map<string, unknown>;
  state(): ViewState;
  nowOffset(): number | undefined;
  /** What the host gives its own widgets to reach the document. */
  manager?: unknown;
  send(content: unknown, buffers?: Buffers): void;
}

export class ViewModel implements WidgetModel {
  readonly #source: Source;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(source: Source) {
    this.#source = source;
  }

  get widget_manager(): unknown {
    return this.#source.manager;
  }

  get(key: string): unknown {
    if (key === "state") return this.#source.state();
    return key === "now_offset" ? this.#source.nowOffset() : this.#source.local.get(key);
  }

  /** Keeps a value in the page alone; the kernel's `state` cannot be set from here. */
  set(key: string, value: unknown): void {
    if (key === "state" || key === "now_offset") return;
    this.#source.local.set(key, value);
    this.emit(`change:${key}`);
  }

  save_changes(): void {}

  on(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off(event?: string | null, listener?: Listener | null): void {
    const events = event ? [event] : [...this.#listeners.keys()];
    for (const name of events) {
      if (listener) this.#listeners.get(name)?.delete(listener);
      else this.#listeners.delete(name);
    }
  }

  send(content: unknown, _callbacks?: unknown, buffers?: Buffers): void {
    this.#source.send(content, buffers);
  }

  emit(event: string, content?: unknown, buffers?: Buffers): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(content, buffers);
      } catch (error) {
        console.error(`fal_nb: a view failed on ${event}`, error);
      }
    }
  }
}
