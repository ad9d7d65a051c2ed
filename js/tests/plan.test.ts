import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import planModule from "../src/plan";
import { FakeModel } from "./fake_model";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>&lt;b&gt;';
const STATE = {
  view: "p1",
  name: "styles",
  endpoint: "fal-ai/flux/dev",
  backend: "simulator",
  calls: 48,
  figures: ["48 calls", "1.20 USD", "about 40 s, 4 at once"],
  lines: [
    ["axes", "animal 2 × style 3 = 6 combinations"],
    ["sheet", "1 page of 600 × 800 pixels, tiles of 256"],
  ],
  step: "planned",
  error: null,
  command: "%fal sweep resume styles",
};

let close = () => {};
afterEach(() => close());

function show(changes: Record<string, unknown> = {}) {
  const el = document.createElement("div");
  document.body.append(el);
  const model = new FakeModel({ state: { ...STATE, ...changes } });
  act(() => {
    const cleanUp = planModule.render({ model, el } as never);
    close = () => {
      cleanUp();
      el.remove();
      expect(model.listenerCount).toBe(0);
    };
  });
  const button = () => el.querySelector<HTMLButtonElement>("[data-command=run]");
  const patch = (values: Record<string, unknown>) => act(() => model.patch(values));
  return { el, model, button, patch };
}

test("a plan tells calls, price and time, and how it is run", () => {
  const { el, button } = show();
  for (const words of ["48 calls", "1.20 USD", "about 40 s", "tiles of 256", "%fal sweep resume styles"]) {
    expect(el.textContent).toContain(words);
  }
  expect(button()?.textContent).toBe("Run 48 calls");
});

test("a click says so once, and the button rests until the kernel answers", () => {
  const { model, button, patch } = show();
  act(() => button()?.click());
  act(() => button()?.click());
  expect(model.sent).toEqual([{ kind: "run" }]);
  expect(button()?.disabled).toBe(true);
  patch({ step: "starting" });
  expect(button()?.disabled).toBe(true);
  patch({ step: "planned", error: "Another kernel runs the sweep styles." });
  expect(button()?.disabled).toBe(false);
});

test("a sweep that has begun has no button", () => {
  const { el, button } = show({ step: "started" });
  expect(button()).toBeNull();
  expect(el.textContent).toContain("%fal sweep show styles");
});

test("whatever a plan says is text", () => {
  const { el } = show({
    name: EVIL,
    endpoint: EVIL,
    figures: [EVIL],
    lines: [[EVIL, EVIL]],
    error: EVIL,
    command: EVIL,
  });
  expect(el.querySelector("img, script, b")).toBeNull();
  expect(el.textContent).toContain(EVIL);
});
