/** A widget model without a host: what is set here is read there, what is sent is kept. */

import type { Buffers } from "../src/lib/messages";
import type { Listener, WidgetModel } from "../src/lib/widget";

// biome-ignore lint/suspicious/noExplicitAny: tests look into messages freely
type Message = any;

export class FakeModel implements WidgetModel {
  readonly sent: Message[] = [];
  /** Of the messages with bytes, in order. */
  readonly buffers: Buffers[] = [];
  readonly values: Map<string, unknown>;
  widget_manager?: unknown;
  isDead = false;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(values: Record<string, unknown> = {}) {
    this.values = new Map(Object.entries(values));
  }

  get(key: string): unknown {
    return this.values.get(key);
  }

  set(key: string, value: unknown): void {
    this.values.set(key, value);
    this.emit(`change:${key}`);
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

  send(content: unknown, _callbacks?: unknown, buffers?: Buffers): void {
    if (this.isDead) throw new Error("the comm is closed");
    this.sent.push(content);
    if (buffers) this.buffers.push(buffers);
  }

  emit(event: string, ...values: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...values);
  }

  /** A custom message from the kernel. */
  deliver(content: unknown, buffers: Buffers = []): void {
    this.emit("msg:custom", content, buffers);
  }

  /** A new state from the kernel, as a synced trait brings it. */
  patch(patch: Record<string, unknown>): void {
    this.set("state", { ...(this.values.get("state") as object), ...patch });
  }

  sentOf(kind: string): Message[] {
    return this.sent.filter((message) => message.kind === kind);
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((count, listeners) => count + listeners.size, 0);
  }
}

/** A kernel's status signals as Lab has them. */
export class FakeSignal {
  readonly slots = new Set<(sender: unknown, value: unknown) => void>();

  connect(slot: (sender: unknown, value: unknown) => void): void {
    this.slots.add(slot);
  }

  disconnect(slot: (sender: unknown, value: unknown) => void): void {
    this.slots.delete(slot);
  }

  emit(value: unknown): void {
    for (const slot of [...this.slots]) slot(this, value);
  }
}
