import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import monitorModule from "../src/monitor";
import { FakeModel } from "./fake_model";

const NOW = 1_750_000_000;
const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>';

let el: HTMLElement;
let model: FakeModel;
let cleanUp: () => unknown;

function row(number: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    record_id: number,
    endpoint: "fal-ai/flux/dev",
    backend: "fal",
    state: "RUNNING",
    whose: "here",
    since: NOW - 12,
    started: NOW - 10,
    estimate: 0.025,
    currency: "USD",
    can_cancel: true,
    ...more,
  };
}

function show(rows: Record<string, unknown>[], more: Record<string, unknown> = {}): void {
  const state = {
    view: "v1",
    count: rows.length,
    counts: { RUNNING: rows.length },
    more: 0,
    left_alone: 0,
    held_back: 0,
    spending: [{ scope: "daily", spent: 0.5, reserved: 0.1, budget: 2, left: 1.4 }],
    ...Object.fromEntries(rows.map((one, place) => [`r${place}`, one])),
    ...more,
  };
  if (model) act(() => model.patch(state));
  else {
    model = new FakeModel({ state });
    act(() => {
      cleanUp = monitorModule.render({ model, el });
    });
  }
}

const texts = (name: string) =>
  [...el.querySelectorAll(`.fal-nb-${name}`)].map((one) => one.textContent?.trim());

function click(words: string, place = 0): void {
  const found = [...el.querySelectorAll("button")].filter((button) => button.textContent === words)[place];
  act(() => {
    found?.click();
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"], now: NOW * 1000 });
  el = document.createElement("div");
  document.body.append(el);
});

afterEach(() => {
  act(() => {
    cleanUp();
  });
  el.remove();
  model = undefined as unknown as FakeModel;
  vi.useRealTimers();
});

test("a row says what runs, how far it is, how long and for how much", () => {
  show([
    row(1, { steps: [7, 28], progress: 0.25 }),
    row(2, { state: "QUEUED", queue_position: 2, whose: "elsewhere" }),
    row(3, { state: "SUCCEEDED", ended: NOW - 2, cost: 0.03, can_cancel: false }),
  ]);
  expect(texts("mnumber")).toEqual(["#1", "#2", "#3"]);
  expect(texts("mstate")).toEqual(["running", "queued", "done"]);
  expect(texts("mwords")).toEqual(["7/28", "position 3 · another kernel", ""]);
  expect(texts("mage")).toEqual(["12 s", "12 s", "10.0 s"]);
  expect(texts("mcost")).toEqual(["≤ 0.025 USD", "≤ 0.025 USD", "0.03 USD"]);
  expect(el.querySelector<HTMLElement>(".fal-nb-mbar > i")?.style.width).toBe("25%");
  expect(texts("mmoney")[0]).toContain("1.40 USD left of 2.00 USD");
});

test("rows come, move and go with the ticks, and what was there is no more", () => {
  show([row(1), row(2)]);
  show([row(2)], { counts: { RUNNING: 1 }, more: 4 });
  expect(texts("mnumber")).toEqual(["#2"]);
  expect(texts("mnotes")[0]).toContain("4 more are open");
  show([], { counts: {}, more: 0 });
  expect(texts("mrow")).toEqual([]);
  expect(texts("mcounts")).toEqual(["No job is open."]);
});

test("Cancel is sent for its row once, and says so until the kernel has answered", () => {
  show([row(1), row(2), row(3, { can_cancel: false })]);
  click("Cancel", 1);
  expect(model.sent).toEqual([{ kind: "cancel", record_id: 2 }]);
  expect(texts("mcancel")).toEqual(["Cancel", "sent", ""]);
  click("sent");
  expect(model.sent.length).toBe(1);
  show([row(1), row(2, { cancel: "asked", can_cancel: false }), row(3, { can_cancel: false })]);
  expect(texts("mcancel")).toEqual(["Cancel", "cancelling…", ""]);
});

test("a stalled row says for how long, and can be told to wait", () => {
  show([row(1, { stalled: [NOW - 40, 12] }), row(2, { stalled: [NOW - 400, null] })]);
  const words = texts("mstalled");
  expect(words[0]).toContain("nothing has moved for 40 s; 95 of 100 such calls are over within 12 s");
  expect(words[1]).toBe("nothing has moved for 6 min 40 sKeep waiting");
  click("Keep waiting");
  expect(model.sent).toEqual([{ kind: "keep-waiting", record_id: 1 }]);
});

test("hostile text is shown as it is and never becomes markup", () => {
  show([row(1, { endpoint: EVIL, state: EVIL, whose: EVIL, cancel: EVIL, currency: EVIL, cost: 1 })], {
    trouble: EVIL,
    spending: [{ scope: EVIL, spent: 0, reserved: 0 }],
  });
  expect(texts("mendpoint")).toEqual([EVIL]);
  expect(el.querySelector("img, script")).toBeNull();
  expect((globalThis as Record<string, unknown>).hacked).toBeUndefined();
});
