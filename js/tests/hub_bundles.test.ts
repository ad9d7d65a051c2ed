import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  begin,
  bundle,
  cleaned,
  end,
  flush,
  isStaticShown,
  live,
  loaded,
  model,
  mounts,
  open,
  place,
  tick,
  view,
} from "./hub_fixture";

beforeEach(begin);

afterEach(() => {
  end();
  vi.useRealTimers();
});

test("parts of a bundle are joined by number, whatever their order and however often they come", async () => {
  place("v1");
  open();
  model.deliver(bundle("C", "d1", 2, 3));
  model.deliver(bundle("A", "d1", 0, 3));
  model.deliver(bundle("A", "d1", 0, 3));
  expect(loaded).toEqual([]);
  model.deliver(bundle("B", "d1", 1, 3));
  await flush();
  expect(loaded).toEqual(["ABC"]);
});

test("a digest that is here or under way is ignored, a new one takes the place of the old views", async () => {
  const el = place("v1");
  open();
  model.deliver(bundle());
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "same" } }));
  await flush();
  model.deliver(bundle());
  await flush();
  expect(loaded).toHaveLength(1);
  model.deliver(bundle("newer code", "d2"));
  await flush();
  expect(loaded).toEqual(["code", "newer code"]);
  expect(mounts).toHaveLength(2);
  expect(cleaned).toEqual([mounts[0]]);
  expect(live(el)).toBe("same");
  expect(el.querySelectorAll(".fal-nb-live")).toHaveLength(1);
});

test("parts of an older digest do not mix with those of a newer one", async () => {
  place("v1");
  open();
  model.deliver(bundle("old0", "d1", 0, 2));
  model.deliver(bundle("new0", "d2", 0, 2));
  model.deliver(bundle("new1", "d2", 1, 2));
  await flush();
  expect(loaded).toEqual(["new0new1"]);
});

test("a bundle cut anew begins anew", async () => {
  place("v1");
  open();
  model.deliver(bundle("half", "d1", 0, 2));
  model.deliver(bundle("third0", "d1", 0, 3));
  model.deliver(bundle("third1", "d1", 1, 3));
  expect(loaded).toEqual([]);
  model.deliver(bundle("third2", "d1", 2, 3));
  await flush();
  expect(loaded).toEqual(["third0third1third2"]);
});

test("a part outside its count is ignored", async () => {
  place("v1");
  open();
  model.deliver(bundle("x", "d1", 1, 1));
  model.deliver(bundle("x", "d1", -1, 1));
  model.deliver(bundle("x", "d1", 0.5, 1));
  await flush();
  expect(loaded).toEqual([]);
});

test("a bundle that does not come is asked for again, ever less often, until nobody wants it", async () => {
  vi.useFakeTimers();
  const el = place("v1");
  place("v2");
  open();
  const asked = () => model.sentOf("need").length;
  expect(asked()).toBe(1);
  vi.advanceTimersByTime(1_999);
  expect(asked()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(asked()).toBe(2);
  vi.advanceTimersByTime(4_000);
  expect(asked()).toBe(3);
  vi.advanceTimersByTime(120_000);
  expect(asked()).toBeLessThan(10);
  const before = asked();
  el.remove();
  document.body.replaceChildren();
  await flush();
  vi.advanceTimersByTime(120_000);
  expect(asked()).toBe(before);
});

test("while parts arrive nothing is asked for, and after the bundle never again", async () => {
  vi.useFakeTimers();
  place("v1");
  open();
  vi.advanceTimersByTime(1_500);
  model.deliver(bundle("A", "d1", 0, 2));
  vi.advanceTimersByTime(1_500);
  expect(model.sentOf("need")).toHaveLength(1);
  model.deliver(bundle("B", "d1", 1, 2));
  await flush();
  vi.advanceTimersByTime(120_000);
  expect(model.sentOf("need")).toHaveLength(1);
});

test("a bundle that cannot be loaded is not asked for again, and a newer one is taken", async () => {
  vi.useFakeTimers();
  vi.spyOn(console, "error").mockImplementation(() => {});
  const el = place("v1");
  open(async (text) => {
    if (text === "broken") throw new SyntaxError("unexpected token");
    return view;
  });
  model.deliver(tick({ v1: { title: "t" } }));
  model.deliver(bundle("broken"));
  await flush();
  model.deliver(bundle("broken"));
  place("v2");
  await flush();
  vi.advanceTimersByTime(60_000);
  expect(loaded).toEqual(["broken"]);
  expect(model.sentOf("need")).toHaveLength(1);
  expect(isStaticShown(el)).toBe(true);
  model.deliver(bundle("sound", "d2"));
  await flush();
  expect(live(el)).toBe("t");
});
