/** A gallery in the page over a fake model. */

import { act } from "preact/test-utils";
import galleryModule from "../src/gallery";
import type { ItemRow } from "../src/lib/gallery_messages";
import { FakeModel } from "./fake_model";

let views = 0;

export function galleryState(count: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  views += 1;
  return {
    view: `g${views}`,
    name: "history",
    backend: "simulator",
    count,
    matching: count,
    selected: 0,
    words: "",
    filters: {},
    sort: "created",
    sorts: ["created", "rating", "cost"],
    is_descending: true,
    with_hidden: false,
    facets: [
      [
        "kind",
        [
          ["image", 3],
          ["video", 1],
        ],
      ],
      [
        "seed",
        [
          [1, 2],
          [2, 1],
        ],
      ],
    ],
    error: "",
    revision: 0,
    ...more,
  };
}

export function orderBytes(places: readonly number[], ratio: (place: number) => number): ArrayBuffer {
  const buffer = new ArrayBuffer(places.length * 6);
  new Uint32Array(buffer, 0, places.length).set(places);
  new Uint16Array(buffer, places.length * 4, places.length).set(places.map((place) => ratio(place) * 1000));
  return buffer;
}

export function row(place: number, more: Partial<Record<number, unknown>> = {}): ItemRow {
  const all: unknown[] = [
    place,
    "image",
    "image/png",
    `digest${place}`,
    512,
    512,
    null,
    4000,
    "",
    place + 1,
    0,
    "fal-ai/flux/dev",
    `a fox ${place}`,
    place,
    0.025,
    1.5,
    null,
    [],
    0,
    1_700_000_000,
    "",
    0,
  ];
  for (const [at, value] of Object.entries(more)) all[Number(at)] = value;
  return all as unknown as ItemRow;
}

export class Gallery {
  readonly model: FakeModel;
  readonly el = document.createElement("div");
  #cleanUp: () => unknown = () => {};

  constructor(count: number, more: Record<string, unknown> = {}) {
    this.model = new FakeModel({ state: galleryState(count, more) });
    document.body.append(this.el);
    act(() => {
      this.#cleanUp = galleryModule.render({ model: this.model, el: this.el });
    });
  }

  deliver(content: unknown, buffer?: ArrayBuffer): void {
    act(() => this.model.deliver(content, buffer ? [buffer] : []));
  }

  patch(patch: Record<string, unknown>): void {
    act(() => this.model.patch(patch));
  }

  order(places: readonly number[], ratio: (place: number) => number = () => 1): void {
    const about = { kind: "order", revision: 0, count: places.length, part: 0, parts: 1 };
    this.deliver(about, orderBytes(places, ratio));
  }

  /** Answers with a row for each output that was asked for. */
  answer(of: (place: number) => ItemRow = row): void {
    const asked = this.model.sentOf("items").flatMap(({ cells }) => cells as number[]);
    this.deliver({ kind: "items", items: asked.map(of) });
  }

  act(work: () => void): void {
    act(work);
  }

  get tiles(): HTMLElement[] {
    return [...this.el.querySelectorAll<HTMLElement>(".fal-nb-gtile")];
  }

  find<Kind extends HTMLElement = HTMLElement>(selector: string): Kind {
    const found = this.el.querySelector<Kind>(selector);
    if (!found) throw new Error(`nothing is ${selector}`);
    return found;
  }

  button(words: string): HTMLButtonElement {
    const all = [...this.el.querySelectorAll("button")];
    const found = all.find(({ textContent }) => textContent?.startsWith(words));
    if (!found) throw new Error(`no button says ${words}`);
    return found;
  }

  click(target: HTMLElement, more: MouseEventInit = {}): void {
    act(() => {
      target.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ...more }));
    });
  }

  key(key: string): void {
    const active =
      this.el.querySelector<HTMLElement>('.fal-nb-gtile[tabindex="0"]') ?? this.find(".fal-nb-gsheet");
    act(() => {
      active.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    });
  }

  close(): void {
    act(() => {
      this.#cleanUp();
    });
    this.el.remove();
  }
}
