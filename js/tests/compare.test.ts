import { signal } from "@preact/signals";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { differences, flatten, wordDiff } from "../src/compare/argument_diff";
import { openCompare } from "../src/compare/compare";
import { delta } from "../src/compare/deltas";
import { meanColour } from "../src/compare/difference";
import { PanZoom } from "../src/compare/pan_zoom";
import { InStep } from "../src/lib/in_step";
import { MediaStore } from "../src/lib/media";
import type { Output } from "../src/lib/messages";
import type { Slides, Words } from "../src/lightbox/slides";
import { Blobs, bytes } from "./blobs";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>';

interface Shown extends Partial<Words> {
  kind?: string;
  cost?: number;
  seconds?: number;
}

function slidesOf(shown: Shown[]): Slides {
  const media = new MediaStore();
  media.hold((request) => {
    if (request.kind !== "media") return;
    const { index } = request;
    const kind = shown[index]?.kind ?? "image";
    const content_type = `${kind}/x-test`;
    const part = {
      kind: "media" as const,
      which: "original" as const,
      index,
      part: 0,
      parts: 1,
      content_type,
      size_bytes: 1,
    };
    media.receive(part, [bytes(`${index}`)]);
  });
  const outputs = shown.map(
    ({ kind = "image" }, index) =>
      ({ index, kind, content_type: `${kind}/x-test`, file_name: `f${index}`, stored: true }) as Output,
  );
  return {
    count: shown.length,
    media,
    slide: (at) => ({
      title: `title ${at}`,
      facts: [],
      output: outputs[at],
      text: "",
      currency: "USD",
      ...shown[at],
    }),
    thumbnail: () => signal(undefined),
    words: (at) => signal<Words>({ arguments: shown[at]?.arguments ?? {} }),
  };
}

let close = () => {};

function open(shown: Shown[]): HTMLElement {
  act(() => {
    close = openCompare(slidesOf(shown));
  });
  return document.querySelector("dialog") as HTMLElement;
}

function press(target: Element, key: string): void {
  act(() => {
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });
}

function choose(dialog: Element, words: string): void {
  const button = [...dialog.querySelectorAll("button")].find((each) => each.textContent === words);
  act(() => void button?.dispatchEvent(new MouseEvent("click", { bubbles: true })));
}

beforeEach(() => new Blobs().install());

afterEach(() => {
  act(() => close());
  vi.useRealTimers();
});

test("nested arguments become paths, and only those that differ are listed", () => {
  const a = { prompt: "fox", size: { width: 512, height: 512 }, loras: [{ path: "a", scale: 1 }], seed: 1 };
  const b = { prompt: "fox", size: { width: 768, height: 512 }, loras: [{ path: "a", scale: 0.5 }] };
  expect([...flatten(a).keys()]).toEqual([
    "prompt",
    "size.width",
    "size.height",
    "loras[0].path",
    "loras[0].scale",
    "seed",
  ]);
  expect(differences([a, b])).toEqual([
    { path: "size.width", values: [512, 768] },
    { path: "loras[0].scale", values: [1, 0.5] },
    { path: "seed", values: [1, undefined] },
  ]);
  expect(differences([a, a, a])).toEqual([]);
  expect(differences([{ a: [] }, { a: {} }, { a: null }])).toHaveLength(1);
});

test("prompts differ word by word", () => {
  expect(wordDiff("a red fox in snow", "a blue fox in deep snow")).toEqual([
    { text: "a ", is: "same" },
    { text: "red", is: "gone" },
    { text: "blue", is: "new" },
    { text: " fox in ", is: "same" },
    { text: "deep ", is: "new" },
    { text: "snow", is: "same" },
  ]);
  const joined = (before: string, after: string) =>
    wordDiff(before, after)
      .filter(({ is }) => is !== "gone")
      .map(({ text }) => text)
      .join("");
  for (const after of ["", "x", "  two  spaces ", "fox a red", "word ".repeat(2_000)]) {
    expect(joined("a red fox", after)).toBe(after);
  }
});

test("numbers are told relative to the first", () => {
  expect([
    delta(1, 1.2),
    delta(1, 0.5),
    delta(1, 1),
    delta(1, 1.001),
    delta(undefined, 1),
    delta(0, 1),
  ]).toEqual([" +20 %", " −50 %", " same", " ±0 %", "", ""]);
});

test("zooming keeps the point under the pointer, and never shows what is beside the picture", () => {
  const panZoom = new PanZoom();
  panZoom.by(2, 0.25, -0.25);
  expect(panZoom.zoom.value).toEqual({ scale: 2, x: -0.25, y: 0.25 });
  panZoom.pan(5, 5);
  expect(panZoom.zoom.value).toEqual({ scale: 2, x: 0.5, y: 0.5 });
  panZoom.by(0.1);
  expect(panZoom.zoom.value).toEqual({ scale: 1, x: 0, y: 0 });
  panZoom.by(1e6);
  expect(panZoom.zoom.value.scale).toBe(16);
});

test("the mean of a difference is that of its colours", () => {
  expect(meanColour(new Uint8ClampedArray([255, 255, 255, 255, 0, 0, 0, 255]))).toBe(0.5);
  expect(meanColour(new Uint8ClampedArray([]))).toBe(0);
});

function player(duration: number): HTMLMediaElement {
  const element = document.createElement("video");
  Object.defineProperty(element, "duration", { value: duration });
  Object.defineProperty(element, "ended", { value: false, writable: true });
  element.play = vi.fn(() => Promise.resolve());
  element.pause = vi.fn();
  return element;
}

test("films play in step: the longest leads, the others are put right when they drift", () => {
  vi.useFakeTimers();
  const [short, long] = [player(2), player(5)];
  const step = new InStep();
  step.add(short);
  step.add(long);
  step.play();
  expect(short.play).toHaveBeenCalledTimes(1);
  expect(long.play).toHaveBeenCalledTimes(1);
  long.currentTime = 1;
  short.currentTime = 1.05;
  vi.advanceTimersByTime(300);
  expect(short.currentTime).toBe(1.05);
  short.currentTime = 1.4;
  vi.advanceTimersByTime(300);
  expect(short.currentTime).toBe(1);
  long.currentTime = 4;
  vi.advanceTimersByTime(300);
  expect(short.currentTime).toBe(2);
  step.pause();
  expect(long.pause).toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test("two pictures are compared with their cost, time and arguments, in three ways", () => {
  const dialog = open([
    { cost: 0.02, seconds: 1, arguments: { prompt: "a red fox", seed: 1 } },
    { cost: 0.03, seconds: 2, arguments: { prompt: "a blue fox", seed: 1 } },
  ]);
  const rows = [...dialog.querySelectorAll("tbody tr")].map((row) => row.textContent);
  expect(rows).toEqual([
    "cost0.02 USD0.03 USD +50 %",
    "time1.00 s2.00 s +100 %",
    "prompta red foxa redblue fox",
  ]);
  expect(dialog.querySelectorAll("img.fal-nb-cmedia")).toHaveLength(2);
  choose(dialog, "slider");
  const range = dialog.querySelector<HTMLInputElement>('input[type="range"]');
  act(() => {
    if (range) range.value = "30";
    range?.dispatchEvent(new Event("input", { bubbles: true }));
  });
  expect(dialog.querySelector<HTMLElement>(".fal-nb-cover")?.getAttribute("style")).toContain("30%");
  choose(dialog, "difference");
  expect(dialog.querySelector("canvas")).not.toBeNull();
  choose(dialog, "side by side");
});

test("zoom and pan are shared by all panes, by keys as by buttons", () => {
  const dialog = open([{}, {}, {}]);
  const styles = () => [...dialog.querySelectorAll("img")].map((image) => image.getAttribute("style"));
  press(dialog, "+");
  press(dialog, "ArrowRight");
  expect(new Set(styles()).size).toBe(1);
  expect(styles()[0]).toContain("scale(1.4");
  expect(styles()[0]).toContain("-8.000%");
  press(dialog, "0");
  expect(styles()[0]).toMatch(/scale\(1(\.0+)?\)/);
});

test("slider and difference are for two pictures only", () => {
  const isOff = (dialog: Element) =>
    [...dialog.querySelectorAll<HTMLButtonElement>(".fal-nb-cmodes button")].map(({ disabled }) => disabled);
  expect(isOff(open([{}, {}, {}]))).toEqual([false, true, true]);
  act(() => close());
  const films = open([{ kind: "video" }, { kind: "video" }]);
  expect(isOff(films)).toEqual([false, true, true]);
  expect(films.textContent).toContain("Play in step");
});

test("Esc closes, the focus goes back, and no key reaches the page", () => {
  const button = document.createElement("button");
  document.body.append(button);
  button.focus();
  const heard: string[] = [];
  const listener = ({ key }: KeyboardEvent) => heard.push(key);
  document.body.addEventListener("keydown", listener);
  const dialog = open([{}, {}]);
  expect(dialog.contains(document.activeElement)).toBe(true);
  expect(dialog.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  press(dialog, "i");
  press(dialog, "Escape");
  expect(document.querySelector("dialog")).toBeNull();
  expect(document.activeElement).toBe(button);
  expect(heard).toEqual([]);
  document.body.removeEventListener("keydown", listener);
  button.remove();
});

test("hostile arguments stay words", () => {
  const dialog = open([{ arguments: { [EVIL]: EVIL } }, { arguments: { [EVIL]: `${EVIL} more` } }]);
  expect(dialog.textContent).toContain(EVIL);
  expect(dialog.querySelectorAll("script, img[src=x]")).toHaveLength(0);
});
