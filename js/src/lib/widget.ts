/** The surface of a model that hub and views rely on: the part of an anywidget model every host has. */

import type { Buffers } from "./messages";

// biome-ignore lint/suspicious/noExplicitAny: listeners differ by event, as in anywidget's own types
export type Listener = (...args: any[]) => void;

export interface WidgetModel {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  save_changes(): void;
  on(event: string, listener: Listener): void;
  off(event?: string | null, listener?: Listener | null): void;
  send(content: unknown, callbacks?: unknown, buffers?: Buffers): void;
}

export interface RenderContext {
  model: WidgetModel;
  el: HTMLElement;
  signal?: AbortSignal;
}

export type CleanUp = () => unknown;

/** What a view bundle exports by default. */
export interface ViewModule {
  // biome-ignore lint/suspicious/noConfusingVoidType: a view may return nothing, as in anywidget's own types
  render(context: RenderContext): CleanUp | void | Promise<CleanUp | void>;
}

export interface InitializeContext {
  model: WidgetModel;
  signal?: AbortSignal;
}
