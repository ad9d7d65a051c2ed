import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { csvText, jsonText } from "../src/page/csv";
import { GalleryData } from "../src/page/gallery_data";
import { GalleryPage, mountGallery } from "../src/page/gallery_page";
import { Stored } from "../src/page/stored";
import { Blobs } from "./blobs";
import { galleryState, row } from "./gallery_fixture";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"></script><script>globalThis.hacked = 1</script>';

function block(name: string, value: unknown): HTMLElement {
  const element = document.createElement("script");
  element.type = "application/json";
  element.dataset.falNb = name;
  element.textContent = JSON.stringify(value);
  return element;
}

function bytesBlock(name: string, text: string): HTMLElement {
  const element = document.createElement("script");
  element.type = "text/plain";
  element.dataset.falNb = name;
  element.textContent = btoa(text);
  return element;
}

const call = (record: number, args: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  record,
  arguments: args,
  request_id: `r${record}`,
  note: "",
  backend: "fal",
  sweep: "",
  again: `%fal run x seed=${record}`,
  ...more,
});

/** Four outputs of three calls, newest first; the call #2 has two. */
const ROWS = [
  row(0, { 9: 3, 12: "an owl", 13: null, 14: null, 16: 5, 17: ["keeper"] }),
  row(1, { 9: 2, 10: 0, 12: EVIL, 13: "b", 14: 0.2, 1: "video", 2: "video/mp4" }),
  row(2, { 9: 2, 10: 1, 12: EVIL, 13: "b", 14: 0.2, 1: "mesh", 2: "model/gltf-binary" }),
  row(3, { 9: 1, 12: "a fox", 13: 7, 14: 0.1, 17: ["keeper", "old"] }),
];
const TABLE = {
  columns: ["record", "prompt", "size"],
  records: [1, 2, 3],
  rows: [
    [1, "a fox", { width: 3 }],
    [2, "=1+1", null],
    [3, 'an "owl"', null],
  ],
};

function home(more: HTMLElement[] = []): DocumentFragment {
  const fragment = document.createDocumentFragment();
  fragment.append(
    block(
      "state",
      galleryState(4, { name: "my calls", is_export: true, left_out: "Not in this file: 1 of 4" }),
    ),
    block("items", { rows: ROWS, ratios: [1, 1.5, 1, 1] }),
    block("calls", [
      call(3, { steps: 4, nested: { deep: "Winter" } }, { note: "Best of all" }),
      call(2, { steps: 4 }, { sweep: "styles" }),
      call(1, { steps: 8 }),
    ]),
    block("texts", { "3": "all of the text" }),
    block("table", TABLE),
    ...more,
  );
  return fragment;
}

describe("what an exported gallery finds", () => {
  const data = new GalleryData(new Stored(home()));
  const find = (more: object) =>
    data.find({ words: "", filters: {}, sort: "created", is_descending: true, ...more });

  it("is everything, newest first, with outputs of one call in their order", () => {
    expect(find({})).toEqual([0, 1, 2, 3]);
    expect(find({ is_descending: false })).toEqual([3, 1, 2, 0]);
  });

  it("has all words, in prompts, arguments, notes and endpoints, whatever their case", () => {
    expect(find({ words: "winter BEST" })).toEqual([0]);
    expect(find({ words: "flux/dev" })).toEqual([0, 1, 2, 3]);
    expect(find({ words: "winter fox" })).toEqual([]);
  });

  it("has one of the values of each column, and all tags", () => {
    expect(find({ filters: { steps: [4] } })).toEqual([0, 1, 2]);
    expect(find({ filters: { steps: [4, 8], kind: ["video"] } })).toEqual([1]);
    expect(find({ filters: { sweep: ["styles"] } })).toEqual([1, 2]);
    expect(find({ filters: { tags: ["keeper"] } })).toEqual([0, 3]);
    expect(find({ filters: { tags: ["keeper", "old"] } })).toEqual([3]);
    expect(find({ filters: { rating: [5] } })).toEqual([0]);
    expect(find({ filters: { steps: ["4"], nobody: [1] } })).toEqual([]);
  });

  it("is sorted with numbers before texts and what is not known last", () => {
    expect(find({ sort: "seed", is_descending: false })).toEqual([3, 1, 2, 0]);
    expect(find({ sort: "cost" })).toEqual([1, 2, 3, 0]);
    expect(find({ sort: "cost", is_descending: false })).toEqual([3, 1, 2, 0]);
  });
});

describe("tables that leave the page", () => {
  it("are CSV that no spreadsheet runs", () => {
    expect(
      csvText(
        ["a", "=b"],
        [
          ["=1+1", -2],
          ['x "y", z', null],
          [{ c: 1 }, true],
          ["\tx", "\uff1d1"],
        ],
      ),
    ).toBe(`a,'=b\n'=1+1,-2\n"x ""y"", z",\n"{""c"":1}",true\n'\tx,'\uff1d1\n`);
  });

  it("are JSON with every name in every row", () => {
    expect(
      JSON.parse(
        jsonText(
          ["a", "b"],
          [
            [1, null],
            ["=1", { c: [2] }],
          ],
        ),
      ),
    ).toEqual([
      { a: 1, b: null },
      { a: "=1", b: { c: [2] } },
    ]);
  });
});

describe("an exported gallery", () => {
  let el: HTMLElement;
  const tick = () =>
    act(() => {
      vi.advanceTimersByTime(1_000);
    });
  const button = (words: string) =>
    [...el.querySelectorAll("button")].find(({ textContent }) => textContent === words) as HTMLButtonElement;
  const tiles = () => [...el.querySelectorAll(".fal-nb-gtile")];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
    new Blobs().install();
    el = document.createElement("main");
    document.body.append(el);
    const more = [bytesBlock("thumbnail-digest0", "small"), bytesBlock("original-digest0", "large")];
    act(() => mountGallery(el, new Stored(home(more))));
    tick();
    tick();
  });

  afterEach(() => {
    el.remove();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("shows every output as text and picture, and says what is left out", () => {
    expect(tiles()).toHaveLength(4);
    expect(tiles()[1]?.textContent).toContain(EVIL);
    expect(el.querySelector("[onerror]")).toBeNull();
    expect(el.querySelector("[role=note]")?.textContent).toBe("Not in this file: 1 of 4");
    expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
  });

  it("filters in the page, and its table follows", () => {
    act(() => button("Filters").click());
    const choice = el.querySelector<HTMLInputElement>(".fal-nb-gchoice input") as HTMLInputElement;
    act(() => choice.click());
    tick();
    expect(tiles()).toHaveLength(2); // the facet `kind`, image
    act(() => button("Table").click());
    expect([...el.querySelectorAll("td:first-child")].map(({ textContent }) => textContent)).toEqual([
      "1",
      "3",
    ]);
    act(() => choice.click());
    tick();
    expect(tiles()).toHaveLength(4);
  });

  it("offers nothing that only a kernel can do", () => {
    const checks = [...el.querySelectorAll<HTMLInputElement>(".fal-nb-gcheck")].slice(0, 2);
    for (const check of checks) {
      act(() => check.click());
      tick();
    }
    expect(el.textContent).toContain("2 selected");
    expect(button("Compare").disabled).toBe(false);
    expect(button("Hide")).toBeUndefined();
    expect(el.querySelector("[aria-label='rate 5']")).toBeNull();
    act(() => button("Filters").click());
    expect(el.textContent).not.toContain("show hidden");
    expect(el.querySelector("[role=grid]")?.getAttribute("aria-label")).not.toContain("rate");
  });

  it("says of a solid that only a notebook turns it, and of others that they are not here", () => {
    const answers: unknown[] = [];
    const model = new GalleryPage(new Stored(home()));
    model.on("msg:custom", (content) => answers.push(content));
    model.send({ kind: "media", which: "original", index: 1 });
    model.send({ kind: "media", which: "original", index: 2 });
    tick();
    expect(answers).toMatchObject([
      { kind: "media-error", index: 1, error: "the original is not in this file" },
      { kind: "media-error", index: 2, error: expect.stringContaining("only a notebook") },
    ]);
  });
});
