/** A card in the page over a fake model. */

import { act } from "preact/test-utils";
import cardModule from "../src/card";
import { FakeModel } from "./fake_model";

export const NOW = 1_750_000_000;

let views = 0;

export function baseState(): Record<string, unknown> {
  views += 1;
  return {
    view: `v${views}`,
    record_id: 128,
    endpoint: "fal-ai/flux/dev",
    backend: "fal",
    state: "RUNNING",
    kind: "queue",
    request_id: "764cabcf",
    prompt: "a red fox",
    arguments: { prompt: "a red fox" },
    logs: [],
    log_count: 0,
    created: NOW - 5,
    submitted: NOW - 4,
    can_cancel: true,
    outputs: [],
  };
}

export function picture(index: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    index,
    kind: "image",
    content_type: "image/png",
    file_name: `fox_${index}.png`,
    size_bytes: 1_400_000,
    width: 1024,
    height: 768,
    has_thumbnail: true,
    stored: true,
    ...more,
  };
}

export class Card {
  readonly model: FakeModel;
  readonly el = document.createElement("div");
  readonly controller = new AbortController();
  #cleanUp: () => unknown = () => {};

  constructor(state: Record<string, unknown> = {}, values: Record<string, unknown> = {}) {
    this.model = new FakeModel({ state: { ...baseState(), ...state }, ...values });
    document.body.append(this.el);
    act(() => {
      const { model, el, controller } = this;
      this.#cleanUp = cardModule.render({ model, el, signal: controller.signal });
    });
  }

  patch(patch: Record<string, unknown>): void {
    act(() => this.model.patch(patch));
  }

  deliver(content: unknown, ...buffers: DataView[]): void {
    act(() => this.model.deliver(content, buffers));
  }

  click(element: Element | null): void {
    if (!element) throw new Error("nothing to click");
    act(() => {
      element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    });
  }

  close(): void {
    act(() => {
      this.#cleanUp();
    });
    this.el.remove();
  }

  find<Found extends Element = HTMLElement>(selector: string): Found | null {
    return this.el.querySelector<Found>(selector);
  }

  findAll(selector: string): HTMLElement[] {
    return [...this.el.querySelectorAll<HTMLElement>(selector)];
  }

  /** The text of the first element with the class `fal-nb-<name>`. */
  text(name: string): string | undefined {
    return this.find(`.fal-nb-${name}`)?.textContent?.trim();
  }

  button(text: string): HTMLButtonElement | null {
    const buttons = [...this.el.querySelectorAll("button")];
    return buttons.find((button) => button.textContent === text) ?? null;
  }

  get bar(): HTMLElement | null {
    return this.find('[role="progressbar"]');
  }

  openLogs(): void {
    const details = this.find<HTMLDetailsElement>("details");
    if (!details) throw new Error("no logs");
    act(() => {
      details.open = true;
      details.dispatchEvent(new Event("toggle"));
    });
  }
}
