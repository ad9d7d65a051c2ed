/** A board in the page over a fake model. */

import { act } from "preact/test-utils";
import boardModule from "../src/board";
import type { Axis, CellRow } from "../src/lib/board_messages";
import { FakeModel } from "./fake_model";

export const AXES: Axis[] = [
  { name: "animal", labels: ["fox", "owl"] },
  { name: "style", labels: ["ukiyo-e", "bauhaus", "risograph"] },
  { name: "guidance_scale", labels: ["2", "3.5"] },
  { name: "seed", labels: ["1", "2", "3", "4"] },
];

let views = 0;

export function cellsOf(axes: readonly Axis[], row: (place: number) => unknown[]): Record<string, CellRow> {
  let all: number[][] = [[]];
  for (const { labels } of axes) all = all.flatMap((at) => labels.map((_, value) => [...at, value]));
  return Object.fromEntries(all.map((at, place) => [`c${place}`, [at, ...row(place)] as unknown as CellRow]));
}

export function done(place: number, kind = "image", type = "image/png"): unknown[] {
  const artifact = [kind, type, `digest${place}`, 512, 512, kind === "image" ? null : 2, 4000];
  return [
    "SUCCEEDED",
    null,
    0.02 + place / 1000,
    0.03,
    1 + (place % 5),
    null,
    0,
    [place / 10],
    artifact,
    1,
    place + 1,
  ];
}

export function boardState(
  axes: Axis[] = AXES,
  row: (place: number) => unknown[] = done,
): Record<string, unknown> {
  views += 1;
  const cells = cellsOf(axes, row);
  const counts: Record<string, number> = {};
  for (const [, state] of Object.values(cells)) counts[state] = (counts[state] ?? 0) + 1;
  return {
    view: `b${views}`,
    name: "styles",
    endpoint: "fal-ai/flux/dev",
    backend: "fal",
    axes,
    scores: ["sharpness"],
    counts,
    spent: 0.5,
    reserved: 0,
    budget: 2,
    currency: "USD",
    seconds_left: null,
    is_paused: false,
    count: Object.keys(cells).length,
    ...cells,
  };
}

export class Board {
  readonly model: FakeModel;
  readonly el = document.createElement("div");
  #cleanUp: () => unknown = () => {};

  constructor(state: Record<string, unknown> = boardState(), values: Record<string, unknown> = {}) {
    this.model = new FakeModel({ state, ...values });
    document.body.append(this.el);
    act(() => {
      this.#cleanUp = boardModule.render({ model: this.model, el: this.el });
    });
  }

  patch(patch: Record<string, unknown>): void {
    act(() => this.model.patch(patch));
  }

  deliver(content: unknown, ...buffers: DataView[]): void {
    act(() => this.model.deliver(content, buffers));
  }

  click(element: Element | null | undefined): void {
    if (!element) throw new Error("nothing to click");
    act(() => {
      element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    });
  }

  choose(selector: string, value: string): void {
    const select = this.el.querySelector<HTMLSelectElement>(selector);
    if (!select) throw new Error(`no ${selector}`);
    act(() => {
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  key(key: string, element: Element | null = this.find('[tabindex="0"][role=gridcell]')): void {
    if (!element) throw new Error("nothing to type at");
    act(() => {
      element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    });
  }

  find<Found extends Element = HTMLElement>(selector: string): Found | null {
    return this.el.querySelector<Found>(selector);
  }

  findAll(selector: string): HTMLElement[] {
    return [...this.el.querySelectorAll<HTMLElement>(selector)];
  }

  texts(selector: string): string[] {
    return this.findAll(selector).map((each) => each.textContent ?? "");
  }

  get tiles(): HTMLElement[] {
    return this.findAll(".fal-nb-btile");
  }

  /** What the tiles are said to be, in the order of the page. */
  get labels(): (string | undefined)[] {
    return this.tiles.map((tile) => tile.querySelector(".fal-nb-spoken")?.textContent?.split(":")[0]);
  }

  /** Is taken out of the page. */
  leave(): void {
    act(() => {
      this.#cleanUp();
    });
    this.el.remove();
  }

  close(): void {
    this.leave();
    for (const each of document.querySelectorAll("dialog, .pswp")) each.remove();
  }
}
