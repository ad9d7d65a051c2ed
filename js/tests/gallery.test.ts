import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { across, inSight, justify, rowAt } from "../src/gallery/layout";
import { Blobs } from "./blobs";
import { Gallery, row } from "./gallery_fixture";

const RATIOS = Array.from({ length: 500 }, (_, at) => [0.6, 1, 1.5, 2.2][at % 4] as number);

describe("justified rows", () => {
  const { rows, height } = justify(RATIOS, 900, 160, 6);

  it("hold every picture once, in order", () => {
    expect(rows[0]?.first).toBe(0);
    expect(rows.at(-1)?.end).toBe(500);
    for (let at = 1; at < rows.length; at += 1) expect(rows[at]?.first).toBe(rows[at - 1]?.end);
  });

  it("fill the width but for the last, and no picture reaches out of it", () => {
    for (const row of rows) {
      const places = across(RATIOS, row, 900, 6);
      const last = places.at(-1) as { left: number; width: number };
      expect(last.left + last.width).toBeLessThanOrEqual(900);
      if (row !== rows.at(-1)) expect(last.left + last.width).toBe(900);
      expect(row.height).toBeLessThanOrEqual(240);
    }
    expect(height).toBe((rows.at(-1)?.top ?? 0) + (rows.at(-1)?.height ?? 0));
  });

  it("keep the wanted height where a last row is not full", () => {
    expect(justify([1], 900, 160, 6).rows).toEqual([{ first: 0, end: 1, top: 0, height: 160 }]);
  });

  it("are none for nothing", () => {
    expect(justify([], 900, 160, 6)).toEqual({ rows: [], height: 0 });
    expect(inSight([], 0, 600, 80)).toEqual({ first: 0, end: 0 });
  });

  it("are drawn where they are in sight, never more than so many pictures", () => {
    for (const top of [0, 500, 3000, height - 600, height + 900]) {
      const { first, end } = inSight(rows, top, 600, 80);
      const count = rows.slice(first, end).reduce((sum, row) => sum + row.end - row.first, 0);
      expect(count).toBeLessThanOrEqual(80);
      expect(count).toBeGreaterThan(0);
    }
    expect(rowAt(rows, -5)).toBe(0);
    const narrow = justify(new Array(900).fill(0.1), 900, 96, 6);
    const { first, end } = inSight(narrow.rows, 0, 600, 80);
    expect(
      narrow.rows.slice(first, end).reduce((sum, row) => sum + row.end - row.first, 0),
    ).toBeLessThanOrEqual(80);
  });
});

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>&lt;b&gt;';
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

let gallery: Gallery;
let blobs: Blobs;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  blobs = new Blobs();
  blobs.install();
});

afterEach(() => {
  gallery?.close();
  vi.useRealTimers();
});

function open(count: number, more: Record<string, unknown> = {}, of = row): Gallery {
  gallery = new Gallery(count, more);
  expect(gallery.model.sentOf("order")).toHaveLength(1);
  gallery.order(numbers(count));
  vi.runAllTimers();
  gallery.answer((place) => of(place));
  vi.runAllTimers();
  return gallery;
}

test("of ten thousand outputs at most 80 are in the page, and only those are asked for", () => {
  open(10_000);
  expect(gallery.tiles.length).toBeGreaterThan(8);
  expect(gallery.tiles.length).toBeLessThanOrEqual(80);
  const asked = gallery.model.sentOf("items").flatMap(({ cells }) => cells);
  expect(new Set(asked).size).toBe(gallery.tiles.length);
  const pictures = gallery.model.sentOf("thumbnails").flatMap(({ cells }) => cells);
  expect([...pictures].sort()).toEqual([...asked].sort());
});

test("an order in parts counts once all of them are here", () => {
  gallery = new Gallery(4);
  const bytes = (places: number[]) => {
    const buffer = new ArrayBuffer(places.length * 6);
    new Uint32Array(buffer, 0, places.length).set(places);
    new Uint16Array(buffer, places.length * 4, places.length).fill(1000);
    return buffer;
  };
  gallery.deliver({ kind: "order", revision: 0, count: 2, part: 0, parts: 2 }, bytes([3, 1]));
  expect(gallery.tiles).toHaveLength(0);
  gallery.deliver({ kind: "order", revision: 0, count: 2, part: 1, parts: 2 }, bytes([0, 2]));
  vi.runAllTimers();
  expect(gallery.model.sentOf("items").flatMap(({ cells }) => cells)).toEqual([3, 1, 0, 2]);
});

test("words are asked for once typing rests, filters at once, and both together", () => {
  open(3);
  const input = gallery.find<HTMLInputElement>(".fal-nb-gwords");
  for (const words of ["r", "red", "red fox"]) {
    gallery.act(() => {
      input.value = words;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  expect(gallery.model.sentOf("query")).toHaveLength(0);
  vi.runAllTimers();
  expect(gallery.model.sentOf("query")).toMatchObject([{ words: "red fox", filters: {}, sort: "created" }]);
  gallery.patch({ words: "red fox" });
  gallery.click(gallery.button("Filters"));
  const choices = [...gallery.el.querySelectorAll<HTMLInputElement>(".fal-nb-gfacet input")];
  gallery.click(choices[1] as HTMLInputElement);
  expect(gallery.model.sentOf("query").at(-1)).toMatchObject({
    words: "red fox",
    filters: { kind: ["video"] },
  });
  gallery.patch({ filters: { kind: ["video"] } });
  expect(gallery.button("Filters").textContent).toBe("Filters (1)");
  gallery.click(
    [...gallery.el.querySelectorAll<HTMLInputElement>(".fal-nb-gfacet input")][1] as HTMLInputElement,
  );
  expect(gallery.model.sentOf("query").at(-1)?.filters).toEqual({});
});

test("a number among the filters stays a number", () => {
  open(3);
  gallery.click(gallery.button("Filters"));
  const seeds = [...gallery.el.querySelectorAll<HTMLInputElement>(".fal-nb-gfacet:nth-child(2) input")];
  gallery.click(seeds[0] as HTMLInputElement);
  expect(gallery.model.sentOf("query").at(-1)?.filters).toEqual({ seed: [1] });
});

test("keys move, select, rate and hide; what is selected is meant where there is any", () => {
  open(30);
  gallery.key("ArrowRight");
  gallery.key("ArrowRight");
  expect(gallery.find('.fal-nb-gtile[tabindex="0"]').dataset.at).toBe("2");
  gallery.key(" ");
  expect(gallery.model.sentOf("select")).toEqual([{ kind: "select", cells: [2], on: true }]);
  gallery.key("4");
  gallery.key("0");
  expect(gallery.model.sentOf("rate")).toEqual([
    { kind: "rate", cells: [2], rating: 4 },
    { kind: "rate", cells: [2], rating: null },
  ]);
  const selection = new Uint32Array([2, 5]).buffer;
  gallery.deliver({ kind: "selection", count: 2 }, selection);
  gallery.key("h");
  expect(gallery.model.sentOf("tag")).toEqual([{ kind: "tag", cells: [2, 5], tag: "hidden", on: true }]);
  gallery.key("End");
  expect(gallery.find('.fal-nb-gtile[tabindex="0"]').dataset.at).toBe("29");
});

test("every action on a tile is a key: what needs an endpoint asks for it first", () => {
  open(3);
  for (const key of ["v", "y", "r"]) gallery.key(key);
  expect(gallery.model.sentOf("code").map(({ what }) => what)).toEqual(["vary", "again", "path"]);
  gallery.key("u");
  expect(gallery.model.sentOf("offers")).toEqual([{ kind: "offers", cell: 0, what: "input" }]);
  gallery.deliver({ kind: "offers", cell: 0, what: "input", endpoints: [EVIL, "fal-ai/birefnet"] });
  const input = gallery.find<HTMLInputElement>(".fal-nb-geditor input");
  expect(gallery.el.querySelectorAll(".fal-nb-geditor option").length).toBe(2);
  gallery.act(() => {
    input.value = " fal-ai/birefnet ";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  gallery.act(() => {
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  });
  expect(gallery.model.sentOf("code").at(-1)).toEqual({
    kind: "code",
    cell: 0,
    what: "input",
    endpoint: "fal-ai/birefnet",
  });
  expect(gallery.el.querySelector(".fal-nb-geditor")).toBeNull();
  gallery.key("?");
  expect(gallery.find(".fal-nb-gkeys").textContent).toContain("use as input");
});

test("a note is read, written and saved by Enter; tags are put on and taken off", () => {
  open(2, {}, (place) => row(place, { 17: ["keeper"], 18: 1 }));
  gallery.key("n");
  const details = { kind: "details", cell: 0, arguments: {}, reason: "", text: "", note: EVIL };
  gallery.deliver(details);
  const area = gallery.find<HTMLTextAreaElement>(".fal-nb-geditor textarea");
  expect(area.value).toBe(EVIL);
  gallery.act(() => {
    area.value = "good light";
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  gallery.act(() => {
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  });
  expect(gallery.model.sentOf("note")).toEqual([{ kind: "note", cells: [0], text: "good light" }]);
  gallery.key("t");
  gallery.click(gallery.button("keeper ×"));
  expect(gallery.model.sentOf("tag")).toEqual([{ kind: "tag", cells: [0], tag: "keeper", on: false }]);
  gallery.act(() => {
    gallery
      .find(".fal-nb-geditor input")
      .dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  });
  expect(gallery.el.querySelector(".fal-nb-geditor")).toBeNull();
});

test("what is hidden and shown all the same says so, and is shown again by the same key", () => {
  open(2, {}, (place) => row(place, { 21: 1 }));
  expect(gallery.find(".fal-nb-gtile").dataset.hidden).toBe("true");
  gallery.key("h");
  expect(gallery.model.sentOf("tag")).toEqual([{ kind: "tag", cells: [0], tag: "hidden", on: false }]);
});

test("an empty gallery says what is empty and what to do", () => {
  gallery = new Gallery(0, { empty: `nothing was made yet ${EVIL}` });
  gallery.order([]);
  expect(gallery.find(".fal-nb-gempty").textContent).toContain("nothing was made yet <img");
  expect(gallery.find(".fal-nb-ghead").textContent).toContain("no outputs");
  gallery.patch({ empty: "", count: 9, matching: 0 });
  gallery.click(gallery.button("Show everything"));
  expect(gallery.model.sentOf("query").at(-1)).toMatchObject({ words: "", filters: {}, with_hidden: true });
});

test("down goes to the picture below, and back up to where it was", () => {
  open(60);
  gallery.key("ArrowRight");
  gallery.key("ArrowDown");
  const below = Number(gallery.find('.fal-nb-gtile[tabindex="0"]').dataset.at);
  expect(below).toBeGreaterThan(3);
  gallery.key("ArrowUp");
  expect(gallery.find('.fal-nb-gtile[tabindex="0"]').dataset.at).toBe("1");
});

test("what is selected in Python is selected here, and can be compared", () => {
  open(6);
  gallery.deliver({ kind: "selection", count: 2 }, new Uint32Array([1, 4]).buffer);
  expect(gallery.tiles.filter((tile) => tile.getAttribute("aria-selected") === "true")).toHaveLength(2);
  expect(gallery.find(".fal-nb-gfoot strong").textContent).toBe("2 selected");
  expect(gallery.button("Compare").disabled).toBe(false);
  gallery.deliver({ kind: "selection", count: 5 }, new Uint32Array([0, 1, 2, 3, 4]).buffer);
  expect(gallery.button("Compare").disabled).toBe(true);
});

test("what is chosen in a row is selected at once, and no early answer takes the later choices back", () => {
  open(30);
  for (const key of [" ", "ArrowRight", " "]) gallery.key(key);
  const selected = () =>
    gallery.tiles.flatMap((tile, at) => (tile.getAttribute("aria-selected") === "true" ? at : []));
  expect(selected()).toEqual([0, 1]);
  gallery.deliver({ kind: "selection", count: 1 }, new Uint32Array([0]).buffer);
  expect(selected()).toEqual([0, 1]);
  gallery.deliver({ kind: "selection", count: 2 }, new Uint32Array([0, 1]).buffer);
  gallery.deliver({ kind: "selection", count: 0 }, new ArrayBuffer(0));
  expect(selected()).toEqual([]);
});

test("what can be done with an output is reached by keys, and the focus returns to it", () => {
  open(30);
  gallery.tiles[0]?.focus();
  gallery.key("m");
  const menu = () => gallery.el.querySelector(".fal-nb-gmenu");
  const press = (key: string) =>
    gallery.act(() => {
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    });
  expect(document.activeElement?.textContent).toContain("Use as input");
  press("ArrowDown");
  press("ArrowUp");
  press("ArrowUp");
  expect(document.activeElement?.textContent).toContain("Hide");
  press("Escape");
  expect(menu()).toBe(null);
  expect(document.activeElement).toBe(gallery.tiles[0]);
});

test("shift and click selects all between", () => {
  open(9);
  gallery.click(gallery.tiles[2] as HTMLElement, { ctrlKey: true });
  gallery.click(gallery.tiles[5] as HTMLElement, { shiftKey: true });
  expect(gallery.model.sentOf("select").map(({ cells }) => cells)).toEqual([[2], [2, 3, 4, 5]]);
});

test("an output whose record is gone is not asked for again and again", () => {
  gallery = new Gallery(2);
  gallery.order([0, 1]);
  vi.runAllTimers();
  gallery.answer((place) => (place === 0 ? row(place) : ([place] as never)));
  const before = gallery.model.sentOf("items").length;
  gallery.order([1, 0]);
  vi.runAllTimers();
  expect(gallery.model.sentOf("items")).toHaveLength(before);
});

test("hostile text is text everywhere", () => {
  open(2, { name: EVIL, error: EVIL, facets: [[EVIL, [[EVIL, 1]]]] });
  gallery.answer((place) =>
    row(place, { 1: "text", 8: EVIL, 11: EVIL, 12: EVIL, 13: EVIL, 17: [EVIL], 20: "" }),
  );
  gallery.click(gallery.button("Filters"));
  gallery.act(() => gallery.tiles[0]?.dispatchEvent(new MouseEvent("mouseenter")));
  expect(gallery.el.textContent).toContain(EVIL);
  expect(gallery.el.querySelectorAll("img, script, b")).toHaveLength(0);
  expect("hacked" in globalThis).toBe(false);
});

test("it lets go of everything when it is closed", () => {
  open(20);
  gallery.close();
  expect(gallery.model.listenerCount).toBe(0);
});
