import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import paretoModule from "../src/pareto";
import { along } from "../src/pareto/pareto_model";
import { Blobs } from "./blobs";
import { FakeModel } from "./fake_model";
import { galleryState, row } from "./gallery_fixture";

const EVIL = '<img src=x onerror="globalThis.hacked = 1">';

function axis(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const ticks = [
    [0, "0"],
    [10, "10"],
  ];
  return {
    name,
    title: name,
    kind: "number",
    better: "low",
    low: 0,
    high: 10,
    is_log: false,
    ticks,
    ...more,
  };
}

/** `[x, y, place, is on the front]` each, by x; a place below 0 is none. */
type Row = [number, number, number, boolean];

const ROWS: Row[] = [
  [1, 9, 0, true],
  [2, 4, 1, true],
  [3, 8, 2, false],
  [5, 1, 3, true],
  [8, 8, -1, false],
];

function pointBytes(rows: readonly Row[]): ArrayBuffer {
  const count = rows.length;
  const buffer = new ArrayBuffer(25 * count);
  new Float64Array(buffer, 0, 2 * count).set([...rows.map(([x]) => x), ...rows.map(([, y]) => y)]);
  const places = rows.map(([, , place]) => (place < 0 ? 0xffffffff : place));
  new Uint32Array(buffer, 16 * count, 2 * count).set([...places, ...rows.map((_, at) => at + 1)]);
  new Uint8Array(buffer, 24 * count).set(rows.map(([, , , isBest]) => (isBest ? 1 : 0)));
  return buffer;
}

class Plot {
  readonly model: FakeModel;
  readonly el = document.createElement("div");
  #cleanUp: () => unknown = () => {};

  constructor(rows: readonly Row[], more: Record<string, unknown> = {}) {
    const state = galleryState(rows.length, {
      name: "cost against time",
      best: rows.filter(([, , , isBest]) => isBest).length,
      x: axis("cost", { kind: "money" }),
      y: axis("rating", { better: "high" }),
      steps: [
        [0.1, 1],
        [0.1, 0.9],
      ],
      told: ["1 of 5 calls has no rating"],
      ...more,
    });
    this.model = new FakeModel({ state });
    document.body.append(this.el);
    act(() => {
      this.#cleanUp = paretoModule.render({ model: this.model, el: this.el });
    });
    expect(this.model.sentOf("order")).toHaveLength(1);
    this.deliver({ kind: "points", count: rows.length }, pointBytes(rows));
  }

  deliver(content: unknown, buffer?: ArrayBuffer): void {
    act(() => this.model.deliver(content, buffer ? [buffer] : []));
    act(() => {
      vi.runAllTimers();
    });
  }

  get dots(): SVGCircleElement[] {
    return [...this.el.querySelectorAll<SVGCircleElement>(".fal-nb-pdot")];
  }

  get active(): string | undefined {
    return this.el.querySelector<SVGCircleElement>('.fal-nb-pdot[tabindex="0"]')?.dataset.at;
  }

  key(key: string, more: KeyboardEventInit = {}): void {
    const on = this.el.querySelector('.fal-nb-pdot[tabindex="0"]') as Element;
    act(() => {
      on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
    });
  }

  /** The pointer does something where a dot lies. */
  point(kind: string, at: number, more: MouseEventInit = {}): void {
    const dot = this.dots.find(({ dataset }) => dataset.at === String(at)) as SVGCircleElement;
    const [clientX, clientY] = [Number(dot.getAttribute("cx")) + 3, Number(dot.getAttribute("cy")) - 2];
    act(() => {
      const svg = this.el.querySelector("svg") as SVGElement;
      svg.dispatchEvent(new MouseEvent(kind, { bubbles: true, clientX, clientY, ...more }));
    });
    act(() => {
      vi.runAllTimers();
    });
  }

  close(): void {
    act(() => {
      this.#cleanUp();
    });
    this.el.remove();
  }
}

let plot: Plot;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  new Blobs().install();
  window.matchMedia = (() => ({ matches: true, addEventListener() {}, removeEventListener() {} })) as never;
});

afterEach(() => {
  plot?.close();
  vi.runAllTimers();
  for (const open of document.querySelectorAll(".pswp, dialog")) open.remove();
  vi.useRealTimers();
});

test("calls on the front are buttons on a line, those behind are dots of one path", () => {
  plot = new Plot(ROWS);
  expect(plot.dots.map(({ dataset }) => dataset.at)).toEqual(["0", "1", "3"]);
  expect(plot.el.querySelector(".fal-nb-pbehind")?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
  expect(plot.el.querySelector(".fal-nb-pline")?.getAttribute("d")).toMatch(/^M[\d.]+ [\d.]+L[\d.]+ [\d.]+$/);
  expect(plot.el.textContent).toContain("3 of 5 calls are beaten by no other");
  expect(plot.el.textContent).toContain("1 of 5 calls has no rating");
  expect(plot.el.textContent).toContain("rating (higher is better)");
});

test("arrows lead along the front, with Shift along all points, and never out of them", () => {
  plot = new Plot(ROWS);
  expect(plot.active).toBe("0");
  plot.key("ArrowLeft");
  expect(plot.active).toBe("0");
  for (const at of ["1", "3", "3"]) {
    plot.key("ArrowRight");
    expect(plot.active).toBe(at);
  }
  plot.key("ArrowLeft", { shiftKey: true });
  expect(plot.active).toBe("2");
  expect(plot.dots.map(({ dataset }) => dataset.best)).toContain("false");
  plot.key("End", { shiftKey: true });
  expect(plot.active).toBe("4");
  plot.key("Home");
  expect(plot.active).toBe("0");
});

test("the pointer shows what is near it: its numbers at once, its picture once it is here", () => {
  plot = new Plot(ROWS);
  plot.point("mousemove", 1);
  const tip = () => plot.el.querySelector(".fal-nb-ptip");
  expect(tip()?.textContent).toContain("2 USD · rating 4");
  expect(plot.model.sentOf("items").at(-1)).toMatchObject({ cells: [1] });
  plot.deliver({ kind: "items", items: [row(1, { 12: EVIL })] });
  expect(tip()?.textContent).toContain(EVIL);
  expect(plot.model.sentOf("thumbnails").at(-1)).toMatchObject({ cells: [1] });
  plot.deliver({ kind: "thumbnails", pictures: [[1, "digest1", 3]] }, new ArrayBuffer(3));
  expect(tip()?.querySelector("img")?.getAttribute("src")).toMatch(/^blob:/);
  expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
  act(() => {
    plot.el.querySelector("svg")?.dispatchEvent(new MouseEvent("mouseleave"));
  });
  expect(tip()).toBeNull();
});

test("a click opens the picture, and its neighbours in the lightbox are those of the front", () => {
  plot = new Plot(ROWS);
  plot.point("click", 1);
  const items = [...document.querySelectorAll(".fal-nb-lightbox .pswp__item")];
  expect(items).toHaveLength(3);
  expect(
    plot.model
      .sentOf("items")
      .flatMap(({ cells }) => cells as number[])
      .sort(),
  ).toEqual([0, 1, 3]);
});

test("a call that has no output opens nothing and says so", () => {
  plot = new Plot(ROWS);
  plot.key("End", { shiftKey: true });
  plot.key("Enter");
  expect(document.querySelector(".fal-nb-lightbox")).toBeNull();
  expect(plot.el.textContent).toContain("it has no output that is kept");
});

test("Space selects, c compares two, digits rate", () => {
  plot = new Plot(ROWS);
  plot.key(" ");
  plot.point("click", 1, { ctrlKey: true });
  expect(plot.model.sentOf("select").map(({ cells }) => cells)).toEqual([[0], [1]]);
  const places = new Uint32Array([0, 1]);
  plot.deliver({ kind: "selection", count: 2 }, places.buffer as ArrayBuffer);
  expect(plot.el.querySelectorAll(".fal-nb-prings [data-selected]")).toHaveLength(2);
  plot.key("c");
  expect(document.querySelector("dialog.fal-nb-compare")).not.toBeNull();
  plot.key("4");
  expect(plot.model.sentOf("rate")).toMatchObject([{ cells: [0, 1], rating: 4 }]);
});

test("a scale is even in numbers or in factors", () => {
  const scale = axis("a", { low: 0.01, high: 100 }) as never;
  expect(along(scale, 0.01)).toBe(0);
  expect(along({ ...(scale as object), is_log: true } as never, 1)).toBeCloseTo(0.5);
});
