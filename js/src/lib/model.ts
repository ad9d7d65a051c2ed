/** A widget model's `state` as signals, its clock and its messages; the same over the hub and over an AnyWidget. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { isNumber } from "./format";
import type { Buffers } from "./messages";
import type { Listener, WidgetModel } from "./widget";

export type MessageListener = (content: unknown, buffers: Buffers) => void;

/** Whether a change matters even where nobody sees it. */
export type IsUrgent<State> = (before: Partial<State>, after: Partial<State>) => boolean;

export class Live<State extends object, Event> {
  readonly #model: WidgetModel;
  readonly #isUrgent: IsUrgent<State>;
  readonly #state: Signal<Partial<State>>;
  readonly #fields = new Map<keyof State, ReadonlySignal<unknown>>();
  readonly #listening: [string, Listener][] = [];
  #isHeld = false;
  #offset?: number;

  constructor(model: WidgetModel, isUrgent: IsUrgent<State> = () => false) {
    this.#model = model;
    this.#isUrgent = isUrgent;
    this.#state = signal(this.#read());
    this.#listen("change:state", () => {
      const state = this.#read();
      if (!this.#isHeld || this.#isUrgent(this.#state.peek(), state)) this.#state.value = state;
    });
  }

  /** While held, as when the view is out of sight, only urgent changes are passed on; the rest follow at the end. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld) this.#state.value = this.#read();
  }

  /** The whole state, for views whose keys are many. */
  get state(): ReadonlySignal<Partial<State>> {
    return this.#state;
  }

  /** One key of the state; it changes only when that key does. */
  field<Key extends keyof State>(key: Key): ReadonlySignal<State[Key] | undefined> {
    let field = this.#fields.get(key) as ReadonlySignal<State[Key] | undefined> | undefined;
    if (!field) {
      field = computed(() => this.#state.value[key]);
      this.#fields.set(key, field);
    }
    return field;
  }

  /** Unix seconds by the kernel's clock. */
  now(): number {
    const offset = this.#model.get("now_offset");
    return Date.now() / 1000 - (isNumber(offset) ? offset : (this.#offset ?? 0));
  }

  /** A value that the page keeps for this view; over the hub it outlives the node that shows it. */
  kept(key: string): unknown {
    return this.#model.get(key);
  }

  keep(key: string, value: unknown): void {
    this.#model.set(key, value);
  }

  send(event: Event, buffers?: Buffers): void {
    if (buffers) this.#model.send(event, undefined, buffers);
    else this.#model.send(event);
  }

  onMessage(listener: MessageListener): void {
    this.#listen("msg:custom", (content: unknown, buffers?: Buffers) => listener(content, buffers ?? []));
  }

  close(): void {
    for (const [event, listener] of this.#listening) this.#model.off(event, listener);
    this.#listening.length = 0;
  }

  #listen(event: string, listener: Listener): void {
    this.#model.on(event, listener);
    this.#listening.push([event, listener]);
  }

  #read(): Partial<State> {
    const state = this.#model.get("state");
    if (typeof state !== "object" || state === null) return {};
    const { now } = state as { now?: unknown };
    if (isNumber(now)) {
      this.#offset = Math.min(this.#offset ?? Number.POSITIVE_INFINITY, Date.now() / 1000 - now);
    }
    return state as Partial<State>;
  }
}
