import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { floodFill, readColour } from "../src/canvas/flood_fill";
import { MOST_UNDO, Painting } from "../src/canvas/painting";
import { RoundTrips } from "../src/canvas/round_trips";
import { Blobs } from "./blobs";
import { Canvas, canvasState, contextOf, fakeDrawing } from "./canvas_fixture";
import { FakeModel } from "./fake_model";

const EVIL = '<img src=x onerror="globalThis.hacked = 1">';

let canvas: Canvas;
let restore: () => void;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
  });
  vi.advanceTimersByTime(5_000);
  restore = fakeDrawing();
  new Blobs().install();
});

afterEach(() => {
  canvas?.close();
  restore();
  vi.useRealTimers();
});

/** Lets time pass, and what was waiting for it, and what that waited for. */
async function pass(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}

test("nothing is sent before somebody has done something, but what a new page asks for", async () => {
  canvas = new Canvas();
  await pass(5_000);
  expect(canvas.model.sent).toEqual([{ kind: "picture", start: 0 }]);
});

test("a stroke is painted, and the drawing goes to the kernel as a JPEG", async () => {
  canvas = new Canvas();
  canvas.stroke([10, 20], [30, 40]);
  await pass(100);
  expect(canvas.inputs.at(-1)).toMatchObject({ kind: "input", page: expect.any(String) });
  expect(canvas.inputs.at(-1)).not.toHaveProperty("values");
  expect(new TextDecoder().decode(canvas.model.buffers.at(-1)?.[0] as ArrayBuffer)).toMatch(/^jpeg/);
  // The page sees it, too: the visible area is painted from the drawing.
  expect(contextOf(canvas.find(".fal-nb-carea canvas")).calls.at(-1)).toBe("image 0 0");
});

test("of many changes few are on their way, and after a frame the newest goes", async () => {
  canvas = new Canvas();
  canvas.pointer("down", 0, 0);
  for (let at = 1; at <= 40; at++) {
    canvas.pointer("move", at, at);
    await pass(20);
  }
  expect(canvas.inputs).toHaveLength(3);
  expect(canvas.inputs.map(({ input }) => input)).toEqual([1, 2, 3]);
  await canvas.frame(1, 2);
  await pass(50);
  canvas.pointer("move", 99, 99);
  await pass(50);
  canvas.pointer("move", 98, 98);
  await pass(200);
  expect(canvas.inputs.map(({ input }) => input)).toEqual([1, 2, 3, 4, 5]);
  await canvas.frame(2, 5);
  await pass(300);
  expect(canvas.inputs).toHaveLength(6);
  await canvas.frame(3, 6);
  await pass(300);
  expect(canvas.inputs).toHaveLength(6);
});

test("no more than 25 inputs a second go out however fast the frames come", async () => {
  canvas = new Canvas();
  canvas.pointer("down", 0, 0);
  for (let at = 1; at <= 100; at++) {
    canvas.pointer("move", at, at);
    await pass(10);
    await canvas.frame(at, canvas.inputs.length);
  }
  expect(canvas.inputs.length).toBeGreaterThan(15);
  expect(canvas.inputs.length).toBeLessThanOrEqual(26);
});

test("an input that is never answered holds up the next for a second and no longer", async () => {
  canvas = new Canvas({ ahead: 1 });
  canvas.stroke([1, 1]);
  await pass(100);
  canvas.stroke([2, 2]);
  await pass(500);
  expect(canvas.inputs).toHaveLength(1);
  await pass(700);
  expect(canvas.inputs).toHaveLength(2);
});

test("what the kernel refuses is not waited for", async () => {
  canvas = new Canvas({ ahead: 1 });
  canvas.type('[data-name="prompt"] textarea', "");
  await pass(100);
  expect(canvas.inputs).toHaveLength(1);
  canvas.type('[data-name="prompt"] textarea', "a");
  await pass(100);
  expect(canvas.inputs).toHaveLength(1);
  canvas.patch({ problems: [{ path: ["prompt"], message: "is required" }] });
  await pass(100);
  expect(canvas.inputs).toHaveLength(2);
});

test("a slider goes out at once, with all that is filled in and without the drawing", async () => {
  canvas = new Canvas();
  canvas.type('[data-name="strength"] input[type="range"]', "0.4");
  await pass(60);
  const sent = canvas.inputs.at(-1);
  expect(JSON.parse(sent.values)).toEqual({ prompt: "a fox", strength: 0.4 });
  expect(sent.edit).toBe(1);
  expect(canvas.model.buffers).toEqual([]);
});

test("a frame is shown, said to be shown, and replaces an older one only", async () => {
  canvas = new Canvas();
  canvas.stroke([1, 1]);
  await pass(100);
  await canvas.frame(7, 1);
  expect(canvas.find(".fal-nb-cshown").dataset.frame).toBe("7");
  expect(canvas.find(".fal-nb-cshown").dataset.input).toBe("1");
  await canvas.frame(5, 1);
  expect(canvas.find(".fal-nb-cshown").dataset.frame).toBe("7");
  expect(canvas.model.sentOf("seen").map(({ frame }) => frame)).toEqual([7, 5]);
  await pass(300);
  expect(canvas.find('[data-pace="p50"]').textContent).toMatch(/^\d+ ms$/);
  expect(canvas.find('[data-pace="rate"]').textContent).toBe("0.3 frames/s");
  await pass(3_000);
  expect(canvas.find('[data-pace="rate"]').textContent).toBe("0.0 frames/s");
});

test("what a browser would run is never shown as a frame", async () => {
  canvas = new Canvas();
  const content = { kind: "frame", frame: 1, page: "", input: 0, content_type: "image/svg+xml", wire_ms: 1 };
  await act(async () => canvas.model.deliver(content, [new ArrayBuffer(4)]));
  expect(canvas.el.querySelector(".fal-nb-cshown img")).toBeNull();
  expect(canvas.model.sentOf("seen")).toHaveLength(1);
});

test("a frame is pinned, its pin is shown, rated and its call copied", async () => {
  canvas = new Canvas();
  expect(canvas.button("Pin").disabled).toBe(true);
  await canvas.frame(3, 0);
  canvas.click("Pin");
  expect(canvas.model.sentOf("pin")).toEqual([{ kind: "pin", frame: 3 }]);
  const written = vi.fn(async () => {});
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText: written } });
  canvas.patch({ pins: [{ record: 12, cell: JSON.stringify("%fal run a/b"), rating: null }] });
  expect(canvas.model.sentOf("pinned")).toHaveLength(1);
  act(() => canvas.model.deliver({ kind: "pinned", record: 12 }, [new ArrayBuffer(2)]));
  expect(canvas.find<HTMLImageElement>(".fal-nb-cpins img").alt).toBe("frame pinned as #12");
  canvas.type(".fal-nb-cpins select", "4");
  expect(canvas.model.sentOf("rate")).toEqual([{ kind: "rate", record: 12, rating: 4 }]);
  canvas.click("copy");
  expect(written).toHaveBeenCalledWith("%fal run a/b");
});

test("pause, go on and stop are said to the kernel, and a held canvas sends nothing", async () => {
  canvas = new Canvas({ line: "open" });
  canvas.click("Pause");
  canvas.click("Stop");
  expect(canvas.model.sent.slice(1)).toEqual([{ kind: "pause" }, { kind: "stop" }]);
  canvas.patch({ is_paused: true });
  canvas.stroke([1, 1]);
  await pass(2_000);
  expect(canvas.inputs).toEqual([]);
  canvas.click("Go on");
  await pass(100);
  expect(canvas.model.sentOf("go")).toHaveLength(1);
  expect(canvas.inputs).toHaveLength(1);
});

test("an idle line says what it costs and when it ends", async () => {
  canvas = new Canvas({ line: "open", idle_until: Date.now() / 1000 + 30 });
  await pass(300);
  expect(canvas.find(".fal-nb-cstate").textContent).toBe("idle, billed by time: disconnects in 30 s");
  await pass(10_000);
  expect(canvas.find(".fal-nb-cstate").textContent).toContain("in 20 s");
  canvas.patch({ idle_until: null });
  expect(canvas.find(".fal-nb-cstate").textContent).toBe("live");
  canvas.patch({ line: "failed", why: "No such endpoint." });
  expect(canvas.find('[role="alert"]').textContent).toBe("No such endpoint.");
  canvas.click("Try again");
  expect(canvas.model.sentOf("go")).toHaveLength(1);
});

test("it is drawn on by keys", async () => {
  canvas = new Canvas();
  canvas.key("ArrowRight");
  expect(canvas.inputs).toEqual([]);
  canvas.key(" ");
  canvas.key("ArrowDown");
  canvas.key("ArrowDown", { shiftKey: true });
  canvas.key(" ");
  canvas.key("ArrowDown");
  canvas.key("e");
  expect(canvas.button("Eraser").getAttribute("aria-pressed")).toBe("true");
  canvas.key("]");
  expect(canvas.find<HTMLInputElement>(".fal-nb-csize input").value).toBe("28");
  expect(canvas.button("Undo").disabled).toBe(false);
  canvas.key("z", { ctrlKey: true });
  expect(canvas.button("Undo").disabled).toBe(true);
  canvas.key("z", { ctrlKey: true, shiftKey: true });
  expect(canvas.button("Redo").disabled).toBe(true);
});

test("the drawing and the pen outlive the mount that shows them", async () => {
  const model = new FakeModel({ state: canvasState() });
  canvas = new Canvas({}, model);
  canvas.stroke([5, 5], [6, 6]);
  await pass(100);
  canvas.key("f");
  canvas.close();
  const inputs = model.sentOf("input").length;
  canvas = new Canvas({}, model);
  await pass(200);
  expect(canvas.button("Undo").disabled).toBe(false);
  expect(canvas.button("Fill").getAttribute("aria-pressed")).toBe("true");
  expect(model.sentOf("input")).toHaveLength(inputs);
});

test("what was about to go out when its output was put anew goes out from the next mount", async () => {
  const model = new FakeModel({ state: canvasState({ is_paused: true }) });
  canvas = new Canvas({}, model);
  canvas.click("Go on");
  // The front end puts the new output in before it takes the old one out.
  const next = new Canvas({}, model);
  canvas.close();
  canvas = next;
  await pass(50);
  expect(model.sentOf("input")).toHaveLength(1);
  expect(model.buffers).toHaveLength(1);
  canvas.close();
  canvas = new Canvas({}, model);
  await pass(50);
  expect(model.sentOf("input")).toHaveLength(1);
});

test("a start picture of the kernel is drawn on and not sent back", async () => {
  canvas = new Canvas();
  canvas.patch({ start: 1, size: [640, 320] });
  expect(canvas.model.sentOf("picture").at(-1)).toEqual({ kind: "picture", start: 0 });
  await act(async () => canvas.model.deliver({ kind: "start", start: 1 }, [new ArrayBuffer(3)]));
  await pass(500);
  const area = canvas.find<HTMLCanvasElement>(".fal-nb-carea canvas");
  expect([area.width, area.height]).toEqual([640, 320]);
  expect(canvas.inputs).toEqual([]);
  canvas.type('input[name="record"]', "#17");
  act(() => canvas.find<HTMLFormElement>(".fal-nb-cfrom").requestSubmit());
  expect(canvas.model.sentOf("start")).toEqual([{ kind: "start", record: 17 }]);
});

test("an endpoint that takes no picture has no drawing area", async () => {
  canvas = new Canvas({ drawing: "" });
  expect(canvas.el.querySelector("canvas")).toBeNull();
  canvas.click("Start");
  await pass(100);
  expect(canvas.inputs).toHaveLength(1);
  expect(canvas.model.buffers).toEqual([]);
});

test("hostile words are text wherever they stand", async () => {
  canvas = new Canvas({ endpoint: EVIL, why: EVIL, line: "failed", error: EVIL });
  canvas.patch({ pins: [{ record: 1, cell: JSON.stringify(EVIL), rating: 9 }], session_record: 3 });
  await pass(100);
  expect(canvas.el.querySelectorAll("img")).toHaveLength(0);
  expect(canvas.el.textContent).toContain(EVIL);
  expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
});

test("everything is let go at the end", () => {
  canvas = new Canvas();
  canvas.close();
  expect(canvas.model.listenerCount).toBe(0);
  expect(canvas.el.childElementCount).toBe(0);
});

test("steps are undone, redone, and the oldest become the ground", () => {
  const painting = new Painting(8, 8);
  for (let at = 0; at < MOST_UNDO + 5; at++) {
    painting.begin("#000000", 2, [at, 0]);
    painting.end();
  }
  for (let at = 0; at < MOST_UNDO + 5; at++) painting.undo();
  expect(painting.steps.value).toEqual({ undo: 0, redo: MOST_UNDO });
  painting.redo();
  painting.clear();
  expect(painting.steps.value).toEqual({ undo: 2, redo: 0 });
  painting.put({} as CanvasImageSource, 16, 8);
  expect(contextOf(painting.canvas).calls.at(-1)).toBe("image 0 2 8 4");
});

test("a fill stops at another colour and reaches around corners", () => {
  const width = 5;
  const pixels = new Uint8ClampedArray(width * 5 * 4).fill(255);
  for (const [x, y] of [
    [2, 0],
    [2, 1],
    [2, 2],
    [2, 3],
  ] as const)
    pixels.set([0, 0, 0, 255], (y * width + x) * 4);
  floodFill(pixels, width, 5, 0, 0, readColour("#ff0000"));
  const red = (x: number, y: number) =>
    pixels[(y * width + x) * 4 + 1] === 0 && pixels[(y * width + x) * 4] === 255;
  expect([red(0, 0), red(4, 0), red(2, 4), red(2, 0)]).toEqual([true, true, true, false]);
  floodFill(pixels, width, 5, 9, 9, readColour("#ff0000"));
  floodFill(pixels, width, 5, 2, 0, readColour("none"));
});

test("round trips are told by quantiles", () => {
  let now = 0;
  const trips = new RoundTrips(() => now);
  for (let input = 1; input <= 100; input++) {
    trips.sent(input);
    now += input;
    trips.shown(input);
  }
  const { p50, p95, frames } = trips.pace;
  expect([p50, p95, frames]).toEqual([51, 96, 100]);
  expect(trips.pace.perSecond).toBeGreaterThan(0);
});
