import { afterEach, beforeEach, expect, test, vi } from "vitest";
import hubModule from "../src/hub";
import { FakeModel, FakeSignal } from "./fake_model";
import {
  begin,
  bundle,
  cleaned,
  end,
  flush,
  hub,
  isStaticShown,
  live,
  model,
  mounts,
  open,
  place,
  TOKEN,
  tick,
  twin,
  view,
} from "./hub_fixture";

beforeEach(begin);

afterEach(() => {
  end();
  vi.useRealTimers();
});

test("a twin that is there already becomes live once bundle and state are here", async () => {
  const el = place("v1");
  open();
  expect(model.sent.map(({ kind }) => kind)).toEqual(["hello", "mount", "need"]);
  expect(model.sent[1]).toMatchObject({ view: "v1" });
  expect(model.sent[2]).toEqual({ kind: "need", bundle: "card" });
  model.deliver(bundle());
  await flush();
  expect(live(el)).toBeNull();
  expect(isStaticShown(el)).toBe(true);
  model.deliver(tick({ v1: { title: "queued" } }));
  expect(live(el)).toBe("queued");
  expect(el.querySelector("p")?.style.display).toBe("none");
  expect(el.querySelector("p")?.textContent).toBe("static");
});

test("a state that came before the bundle is shown when the bundle comes", async () => {
  const el = place("v1");
  open();
  model.deliver(tick({ v1: { title: "early" } }));
  model.deliver(bundle());
  await flush();
  expect(live(el)).toBe("early");
});

test("what Python pushed before any twin is in the page is used at once by a later twin", async () => {
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "pushed" } }));
  await flush();
  const outer = document.createElement("section");
  outer.append(twin("v1"));
  document.body.append(outer);
  await flush();
  expect(live(outer)).toBe("pushed");
  expect(model.sentOf("need")).toEqual([]);
  expect(model.sentOf("mount")).toHaveLength(1);
});

test("one id in two places has two live views, one mount, and no unmount before both are gone", async () => {
  const [first, second] = [place("v1"), place("v1")];
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a" } }));
  await flush();
  expect([live(first), live(second)]).toEqual(["a", "a"]);
  expect(model.sentOf("mount")).toHaveLength(1);
  model.deliver(tick({ v1: { title: "b" } }));
  expect([live(first), live(second)]).toEqual(["b", "b"]);
  first.remove();
  await flush();
  expect(mounts[0]?.signal?.aborted).toBe(true);
  expect(cleaned).toEqual([mounts[0]]);
  expect(live(second)).toBe("b");
  expect(model.sentOf("unmount")).toEqual([]);
  second.remove();
  await flush();
  expect(model.sentOf("unmount")).toMatchObject([{ view: "v1" }]);
  expect(cleaned).toHaveLength(2);
});

test("a page that is left says so of every view it shows, and of none once the hub is closed", async () => {
  const gone = place("v2");
  place("v1");
  const hub = open();
  await flush();
  gone.remove();
  await flush();
  window.dispatchEvent(new Event("pagehide"));
  expect(model.sentOf("unmount").map(({ view }) => view)).toEqual(["v2", "v1"]);
  hub.close();
  window.dispatchEvent(new Event("pagehide"));
  expect(model.sentOf("unmount")).toHaveLength(2);
});

test("a replaced node is live again with the kept state before anything is painted", async () => {
  const el = place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "half", other: 1 } }));
  await flush();
  const next = twin("v1");
  el.replaceWith(next);
  await Promise.resolve();
  expect(live(next)).toBe("half");
  expect(mounts).toHaveLength(2);
  expect(cleaned).toHaveLength(1);
  expect(model.sentOf("unmount")).toEqual([]);
});

test("what a view keeps in the page is there again after its node was replaced", async () => {
  const el = place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a" } }));
  await flush();
  mounts[0]?.model.set("logs_open", true);
  mounts[0]?.model.set("state", { title: "not the view's to set" });
  el.replaceWith(twin("v1"));
  await flush();
  expect(mounts[1]?.model.get("logs_open")).toBe(true);
  expect(mounts[1]?.model.get("state")).toEqual({ title: "a" });
  expect(mounts[1]?.model.get("elsewhere")).toBeUndefined();
});

test("a node that is taken away and put back later is live again with the kept state", async () => {
  const el = place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "kept" } }));
  await flush();
  el.remove();
  await flush();
  expect(isStaticShown(el)).toBe(true);
  expect(live(el)).toBeNull();
  document.body.append(el);
  await flush();
  expect(live(el)).toBe("kept");
  expect(model.sent.slice(1).map(({ kind }) => kind)).toEqual(["mount", "need", "unmount", "mount"]);
});

test("a node that only moves stays mounted", async () => {
  const el = place("v1");
  const home = document.createElement("section");
  document.body.append(home);
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "moved" } }));
  await flush();
  home.append(el);
  await flush();
  expect(mounts).toHaveLength(1);
  expect(mounts[0]?.signal?.aborted).toBe(false);
  expect(live(el)).toBe("moved");
});

test("foreign ids, foreign tokens and elements that name no view are left alone", async () => {
  const foreign = twin("v1", { token: "falnb-other" });
  const longer = twin("v1", { token: `${TOKEN}x` });
  const nameless = twin("v1");
  delete nameless.dataset.falView;
  document.body.append(foreign, longer, nameless);
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "mine" } }));
  await flush();
  expect(mounts).toEqual([]);
  expect(model.sentOf("mount")).toEqual([]);
});

test("a view that fails leaves its static content, and the others go on", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const [bad, good] = [place("bad"), place("good")];
  let failures = 0;
  open(async () => ({
    render(context) {
      if ((context.model.get("state") as { title: string }).title === "bad") {
        failures += 1;
        throw new Error("no");
      }
      return view.render(context);
    },
  }));
  model.deliver(bundle());
  await flush();
  model.deliver(tick({ bad: { title: "bad" }, good: { title: "good" } }));
  expect(isStaticShown(bad)).toBe(true);
  expect(bad.querySelector(".fal-nb-live")).toBeNull();
  expect(live(good)).toBe("good");
  model.deliver(tick({ bad: { title: "bad" } }));
  expect(failures).toBe(1);
});

test("a view that is ready later is cleaned up even if its node has gone meanwhile", async () => {
  const el = place("v1");
  const cleanUp = vi.fn();
  let finish: (cleanUp: () => void) => void = () => {};
  open(async () => ({
    render: () =>
      new Promise<() => void>((resolve) => {
        finish = resolve;
      }),
  }));
  model.deliver(bundle());
  model.deliver(tick({ v1: {} }));
  await flush();
  el.remove();
  await flush();
  finish(cleanUp);
  await flush();
  expect(cleanUp).toHaveBeenCalledOnce();
});

test("patches are merged key by key, and null is a value", async () => {
  place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a", logs: ["x"], cancel: "asked" } }));
  await flush();
  const before = mounts[0]?.model.get("state");
  model.deliver(tick({ v1: { title: "b", cancel: null } }));
  expect(mounts[0]?.model.get("state")).toEqual({ title: "b", logs: ["x"], cancel: null });
  expect(before).toEqual({ title: "a", logs: ["x"], cancel: "asked" });
});

test("custom messages reach every mount of their view, with their own buffers", async () => {
  place("v1");
  place("v1");
  place("v2");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: {}, v2: {} }));
  await flush();
  const heard: unknown[] = [];
  for (const [place, { model: own }] of mounts.entries()) {
    own.on("msg:custom", (content, buffers) => heard.push([place, content, buffers]));
  }
  const buffers = [new DataView(new ArrayBuffer(1)), new DataView(new ArrayBuffer(2))];
  const messages = [
    { view: "v2", content: { kind: "media" }, buffers: [1] },
    { view: "v1", content: { kind: "plain" } },
    { view: "nobody", content: {}, buffers: [0] },
  ];
  model.deliver(tick({}, { messages }), buffers);
  expect(heard).toEqual([
    [2, { kind: "media" }, [buffers[1]]],
    [0, { kind: "plain" }, []],
    [1, { kind: "plain" }, []],
  ]);
});

test("a frame beside the ticks reaches its view with its bytes, and bytes of a view reach the kernel", async () => {
  place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: {} }));
  await flush();
  const own = mounts[0]?.model;
  const heard: unknown[] = [];
  own?.on("msg:custom", (content, buffers) => heard.push([content, buffers]));
  const frame = new DataView(new ArrayBuffer(3));
  model.deliver({ kind: "frame", view: "v1", content: { kind: "frame", frame: 1 } }, [frame]);
  model.deliver({ kind: "frame", view: "nobody", content: {} }, [frame]);
  expect(heard).toEqual([[{ kind: "frame", frame: 1 }, [frame]]]);
  const drawing = new ArrayBuffer(4);
  own?.send({ kind: "input" }, undefined, [drawing]);
  expect(model.sent.at(-1)).toEqual({ kind: "event", view: "v1", content: { kind: "input" } });
  expect(model.buffers).toEqual([[drawing]]);
});

test("a listener that fails keeps no other from hearing", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const [first, second] = [place("v1"), place("v2")];
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a" }, v2: { title: "a" } }));
  await flush();
  mounts[0]?.model.on("change:state", () => {
    throw new Error("view is broken");
  });
  model.deliver(tick({ v1: { title: "b" }, v2: { title: "b" } }));
  expect([live(first), live(second)]).toEqual(["b", "b"]);
});

test("what a view sends goes to Python with the view's id", async () => {
  place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: {} }));
  await flush();
  mounts[0]?.model.send({ kind: "cancel" });
  expect(model.sentOf("event")).toEqual([{ kind: "event", view: "v1", content: { kind: "cancel" } }]);
});

test("views know the kernel's clock by the message that was least late", async () => {
  place("v1");
  open();
  model.deliver(bundle());
  const now = Date.now() / 1000;
  model.deliver({ kind: "tick", now: now - 130, views: { v1: {} } });
  await flush();
  model.deliver({ kind: "tick", now: now - 100, views: {} });
  model.deliver({ kind: "tick", now: now - 160, views: {} });
  expect(mounts[0]?.model.get("now_offset")).toBeCloseTo(100, 0);
});

test("a view that Python does not know shows its static content, until Python knows it again", async () => {
  const el = place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a" } }));
  await flush();
  model.deliver({ kind: "gone", view: "v1" });
  expect(isStaticShown(el)).toBe(true);
  expect(live(el)).toBeNull();
  expect(mounts[0]?.signal?.aborted).toBe(true);
  const other = place("v1");
  await flush();
  expect(model.sentOf("mount")).toHaveLength(2);
  expect(isStaticShown(other)).toBe(true);
  model.deliver(tick({ v1: { title: "back" } }));
  expect([live(el), live(other)]).toEqual(["back", "back"]);
  const third = place("v1");
  await flush();
  expect(live(third)).toBe("back");
  expect(model.sentOf("mount")).toHaveLength(2);
  model.deliver({ kind: "gone", view: "v1" });
  el.remove();
  third.remove();
  other.remove();
  await flush();
  expect(model.sentOf("unmount")).toEqual([]);
});

test.each(["destroy", "comm:close"])(
  "on %s every twin is shown again and nothing more is sent",
  async (event) => {
    const el = place("v1");
    open();
    model.deliver(bundle());
    model.deliver(tick({ v1: { title: "a" } }));
    await flush();
    const own = mounts[0]?.model;
    const count = model.sent.length;
    model.emit(event);
    expect(isStaticShown(el)).toBe(true);
    expect(live(el)).toBeNull();
    expect(cleaned).toHaveLength(1);
    own?.send({ kind: "cancel" });
    place("v2");
    await flush();
    model.deliver(tick({ v1: { title: "late" } }));
    expect(live(el)).toBeNull();
    expect(model.sent).toHaveLength(count);
    expect(model.listenerCount).toBe(0);
  },
);

test.each(["restarting", "autorestarting", "dead", "terminating"])(
  "a kernel that is %s takes the live views with it",
  async (status) => {
    const kernel = { statusChanged: new FakeSignal(), connectionStatusChanged: new FakeSignal() };
    model.widget_manager = { kernel };
    const el = place("v1");
    open();
    model.deliver(bundle());
    model.deliver(tick({ v1: { title: "a" } }));
    await flush();
    kernel.statusChanged.emit("busy");
    kernel.statusChanged.emit("idle");
    expect(live(el)).toBe("a");
    kernel.statusChanged.emit(status);
    expect(isStaticShown(el)).toBe(true);
    expect(kernel.statusChanged.slots.size + kernel.connectionStatusChanged.slots.size).toBe(0);
  },
);

test("after a lost connection the page says again what it shows", () => {
  const kernel = { statusChanged: new FakeSignal(), connectionStatusChanged: new FakeSignal() };
  model.widget_manager = { kernel };
  place("v1");
  open();
  kernel.connectionStatusChanged.emit("connecting");
  kernel.connectionStatusChanged.emit("connected");
  expect(model.sent.map(({ kind }) => kind)).toEqual(["hello", "mount", "need", "hello", "mount"]);
  expect(new Set(model.sentOf("hello").map(({ page }) => page)).size).toBe(1);
});

test("where nothing can be sent the twins are shown", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const el = place("v1");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a" } }));
  await flush();
  model.isDead = true;
  mounts[0]?.model.send({ kind: "cancel" });
  expect(isStaticShown(el)).toBe(true);
});

test("bare text in a twin is hidden and shown again like an element", async () => {
  const el = place("v1");
  el.append("bare words");
  open();
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a" } }));
  await flush();
  const words = [...el.querySelectorAll("span")].find((span) => span.textContent === "bare words");
  expect(words?.style.display).toBe("none");
  hub?.close();
  expect(words?.style.display).toBe("");
  expect(el.textContent).toBe("staticbare words");
});

test("a hub made anew for the same token takes over", async () => {
  const el = place("v1");
  const first = hubModule.initialize({ model });
  const later = new FakeModel({ token: TOKEN });
  const controller = new AbortController();
  hubModule.initialize({ model: later, signal: controller.signal });
  expect(model.listenerCount).toBe(0);
  expect(later.sentOf("mount")).toHaveLength(1);
  first();
  expect(later.listenerCount).toBeGreaterThan(0);
  controller.abort();
  expect(later.listenerCount).toBe(0);
  expect(isStaticShown(el)).toBe(true);
});

test("what a view keeps in the page is there again under the hub that takes over", async () => {
  const el = place("v1");
  hubModule.initialize({ model }, { load: async () => view });
  model.deliver(bundle());
  model.deliver(tick({ v1: { title: "a" } }));
  await flush();
  mounts.at(-1)?.model.set("draft", "half a wo");
  const later = new FakeModel({ token: TOKEN });
  const close = hubModule.initialize({ model: later }, { load: async () => view });
  later.deliver(bundle());
  later.deliver(tick({ v1: { title: "a" } }));
  await flush();
  expect(mounts).toHaveLength(2);
  expect(mounts.at(-1)?.model.get("draft")).toBe("half a wo");
  later.deliver({ kind: "gone", view: "v1" });
  el.remove();
  await flush();
  place("v1");
  later.deliver(tick({ v1: { title: "b" } }));
  await flush();
  expect(mounts.at(-1)?.model.get("draft")).toBeUndefined();
  close();
});

test("names from a hostile message are data: no prototype is touched, no text becomes an element", async () => {
  const evil = "<img src=x onerror=alert(1)>";
  const el = place("v1");
  open();
  model.deliver(bundle());
  const views = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"polluted": 1}}');
  model.deliver(
    tick({ ...views, v1: JSON.parse(`{"title": ${JSON.stringify(evil)}, "__proto__": {"polluted": 1}}`) }),
  );
  await flush();
  expect(live(el)).toBe(evil);
  expect(el.querySelector("img")).toBeNull();
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  for (const junk of [
    null,
    undefined,
    7,
    "x",
    [],
    {},
    { kind: "tick" },
    { kind: "gone" },
    { kind: "bundle" },
  ]) {
    model.deliver(junk);
  }
  expect(live(el)).toBe(evil);
});
