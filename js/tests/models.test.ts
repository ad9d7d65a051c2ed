import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ModelRow } from "../src/lib/models_messages";
import modelsModule from "../src/models";
import { shapeOf } from "../src/models/grid";
import { FakeModel } from "./fake_model";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>';

let el: HTMLElement;
let model: FakeModel;
let cleanUp: () => unknown;

const row = (place: number, more: Partial<Record<number, unknown>> = {}): ModelRow =>
  Object.assign(
    [place, `fal-ai/m${place}`, `Model ${place}`, "text-to-image", "active", ["fast"], "draws", true],
    more,
  ) as ModelRow;

function deliver(content: unknown, ...buffers: ArrayBuffer[]): void {
  act(() => model.deliver(content, buffers));
}

function order(...places: number[]): void {
  deliver({ kind: "order", revision: 0, count: places.length }, new Uint32Array(places).buffer);
}

async function flush(): Promise<void> {
  await act(async () => {
    await vi.runAllTimersAsync();
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  el = document.body.appendChild(document.createElement("div"));
  model = new FakeModel({
    state: {
      view: "v1",
      backend: "simulator",
      count: 300,
      matching: 300,
      note: "",
      words: "",
      filters: {},
      status: "active",
      sort: "best",
      sorts: ["best", "newest"],
      is_descending: false,
      facets: [["category", [["text-to-image", 7]]]],
      revision: 0,
    },
  });
  act(() => {
    cleanUp = modelsModule.render({ model, el });
  });
});

afterEach(() => {
  act(() => {
    cleanUp();
  });
  el.remove();
  vi.useRealTimers();
  expect((globalThis as { hacked?: unknown }).hacked).toBeUndefined();
});

const cards = () => [...el.querySelectorAll("button.fal-nb-ccard")] as HTMLButtonElement[];

test("only the cards in sight are in the page, and only those are asked for", async () => {
  order(...Array.from({ length: 300 }, (_, place) => place));
  await flush();
  const asked = model.sentOf("items").flatMap(({ cells }) => cells);
  expect(asked.length).toBeGreaterThan(8);
  expect(asked.length).toBeLessThan(40);
  deliver({ kind: "items", items: asked.map((place: number) => row(place)) });
  await flush();
  expect(cards().length).toBe(asked.length);
  expect(
    model
      .sentOf("thumbnails")
      .flatMap(({ cells }) => cells)
      .sort(),
  ).toEqual(asked.sort());
});

test("words are sent once typing rests, and filters and order at once", async () => {
  const input = el.querySelector<HTMLInputElement>(".fal-nb-cwords") as HTMLInputElement;
  for (const words of ["f", "fl", "flux"]) {
    act(() => {
      input.value = words;
      input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
  }
  await flush();
  expect(model.sentOf("query").map(({ words }) => words)).toEqual(["flux"]);
  act(() => (el.querySelector("[aria-expanded]") as HTMLButtonElement).click());
  act(() => (el.querySelector(".fal-nb-cchoice input") as HTMLInputElement).click());
  expect(model.sentOf("query").at(-1)?.filters).toEqual({ category: ["text-to-image"] });
});

test("a search that was asked is not asked again by the view its answer puts anew, what was typed since is", async () => {
  const type = (words: string) => {
    const input = el.querySelector<HTMLInputElement>(".fal-nb-cwords") as HTMLInputElement;
    act(() => {
      input.focus();
      input.value = words;
      input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
  };
  const mountAnew = () => {
    act(() => {
      cleanUp();
    });
    act(() => {
      cleanUp = modelsModule.render({ model, el });
    });
  };
  const asked = () => model.sentOf("query").map(({ words }) => words);
  type("red ");
  await flush();
  model.patch({ words: "red" });
  mountAnew();
  await flush();
  expect(asked()).toEqual(["red "]);
  type("red fox");
  mountAnew();
  await flush();
  expect(asked()).toEqual(["red ", "red fox"]);
});

test("a closer look shows inputs and price, copies the line, and closes with Escape", async () => {
  order(0, 1);
  await flush();
  deliver({ kind: "items", items: [row(0), row(1)] });
  act(() => cards()[1]?.click());
  expect(model.sentOf("details")).toEqual([{ kind: "details", cell: 1 }]);
  const details = {
    kind: "details",
    cell: 1,
    description: EVIL,
    facts: [["category", EVIL]],
    run_line: '%fal run fal-ai/m1 prompt=""',
    form_line: "%fal form fal-ai/m1",
    price: "0.1 USD per image",
    trouble: "",
    inputs: [["prompt", "text", "", "", true, EVIL]],
  };
  deliver({ ...details, cell: 0 }); // of another model: too late
  expect(el.querySelector(".fal-nb-ccode")).toBeNull();
  deliver(details);
  const pane = el.querySelector(".fal-nb-cpane") as HTMLElement;
  expect(pane.textContent).toContain("0.1 USD per image");
  expect(pane.textContent).toContain("required");
  expect(pane.querySelector("img, script")).toBeNull();
  const writeText = vi.fn(async () => {});
  vi.stubGlobal("navigator", { clipboard: { writeText } });
  act(() =>
    [...pane.querySelectorAll("button")].find((each) => each.textContent === "Copy %fal run")?.click(),
  );
  await flush();
  expect(writeText).toHaveBeenCalledWith('%fal run fal-ai/m1 prompt=""');
  vi.unstubAllGlobals();
  act(() => {
    pane.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  });
  expect(el.querySelector(".fal-nb-cpane")).toBeNull();
});

test("hostile names are text, and arrows move from card to card", async () => {
  order(0, 1);
  await flush();
  deliver({ kind: "items", items: [row(0, { 2: EVIL, 3: EVIL, 5: [EVIL], 6: EVIL }), row(1)] });
  expect(el.querySelector("[onerror], script")).toBeNull();
  expect(cards()[0]?.textContent).toContain("<script>");
  act(() => cards()[0]?.focus());
  act(() => {
    el.querySelector(".fal-nb-csheet")?.dispatchEvent(
      new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }),
    );
  });
  expect(cards().map((card) => card.tabIndex)).toEqual([-1, 0]);
  expect(document.activeElement).toBe(cards()[1]);
});

test("nothing found is said, and the view is put back as it was left", async () => {
  order();
  expect(el.textContent).toContain("no model passes");
  order(0);
  await flush();
  deliver({ kind: "items", items: [row(0)] });
  act(() => cards()[0]?.click());
  act(() => {
    cleanUp();
  });
  act(() => {
    cleanUp = modelsModule.render({ model, el });
  });
  expect(model.sentOf("details")).toHaveLength(2);
});

test("cards fill the width, one at the least", () => {
  expect(shapeOf(120).columns).toBe(1);
  expect(shapeOf(900).columns).toBe(4);
  const { columns, width } = shapeOf(900);
  expect(columns * width + 10 * (columns - 1)).toBeCloseTo(900);
});
