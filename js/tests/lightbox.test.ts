import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Blobs, bytes } from "./blobs";
import { AXES, Board, boardState, done } from "./board_fixture";
import { Card, picture } from "./card_fixture";
import { PATIENCE } from "./patience";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>';

let board: Board | undefined;
let card: Card | undefined;
let blobs: Blobs;

beforeEach(() => {
  blobs = new Blobs();
  blobs.install();
  window.matchMedia = (() => ({ matches: true, addEventListener() {}, removeEventListener() {} })) as never;
});

afterEach(() => {
  vi.restoreAllMocks();
  press("Escape");
  board?.close();
  card?.close();
  board = undefined;
  card = undefined;
});

const box = () => document.querySelector<HTMLElement>(".pswp");

function press(key: string): void {
  act(() => {
    (box() ?? document).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });
}

function details(cell: number, more: Record<string, unknown> = {}) {
  const values = { prompt: `a fox, seed ${cell}`, seed: cell, size: { width: 512 }, ...more };
  return { kind: "details", cell, arguments: values, reason: "", request_id: `r${cell}`, text: "" };
}

test("a tile opens the lightbox on itself, and the arguments of it and its neighbour are fetched", () => {
  board = new Board(boardState(AXES.slice(0, 2)));
  board.click(board.tiles[1]);
  expect(box()?.querySelector(".fal-nb-ltitle")?.textContent).toBe("animal: fox · style: bauhaus");
  expect(
    board.model
      .sentOf("details")
      .flatMap(({ cells }) => cells)
      .sort(),
  ).toEqual([0, 1]);
  board.deliver(details(0));
  board.deliver(details(1));
  expect(box()?.querySelector(".fal-nb-lneighbour")?.textContent).toBe(
    "differs from the one before: prompt a fox, seed 0 → a fox, seed 1, seed 0 → 1",
  );
  expect(box()?.querySelector(".fal-nb-lpanel")).toBeNull();
  press("i");
  expect([...(box()?.querySelectorAll(".fal-nb-lpanel dt") ?? [])].map((each) => each.textContent)).toContain(
    "size.width",
  );
  press("i");
  expect(box()?.querySelector(".fal-nb-lpanel")).toBeNull();
});

test("arrows go on, a number rates, and Esc closes", async () => {
  board = new Board(boardState(AXES.slice(0, 2)));
  board.click(board.tiles[0]);
  act(() => {
    box()?.querySelector<HTMLElement>(".pswp__button--arrow--next")?.click();
  });
  expect(box()?.querySelector(".fal-nb-ltitle")?.textContent).toBe("animal: fox · style: bauhaus");
  press("4");
  expect(board.model.sentOf("rate")).toEqual([{ kind: "rate", cell: 1, rating: 4 }]);
  expect(box()?.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
});

test("the original is asked for and takes the thumbnail's place", async () => {
  board = new Board(boardState(AXES.slice(0, 1)));
  board.click(board.tiles[0]);
  await Promise.resolve();
  expect(board.model.sentOf("media")[0]).toEqual({ kind: "media", which: "original", index: 0 });
  const image = box()?.querySelector<HTMLImageElement>("img.fal-nb-limage");
  expect(image?.dataset.state).toBe("loading");
  const part = {
    kind: "media",
    which: "original",
    index: 0,
    part: 0,
    parts: 1,
    content_type: "image/png",
    size_bytes: 3,
  };
  board.deliver(part, bytes("big"));
  expect(image?.dataset.state).toBe("original");
  expect(await blobs.text(image?.src)).toBe("big");
});

test("an original that is here already is shown when the lightbox opens again", async () => {
  vi.spyOn(document.documentElement, "clientWidth", "get").mockReturnValue(1024);
  board = new Board(boardState(AXES.slice(0, 1)));
  board.click(board.tiles[0]);
  await Promise.resolve();
  const about = { kind: "media", which: "original", index: 0, part: 0, parts: 1, content_type: "image/png" };
  board.deliver({ ...about, size_bytes: 3 }, bytes("big"));
  press("Escape");
  await vi.waitFor(() => expect(box()).toBeNull(), PATIENCE);
  board.click(board.tiles[0]);
  const image = box()?.querySelector<HTMLImageElement>("img.fal-nb-limage");
  expect(image?.dataset.state).toBe("original");
  expect(await blobs.text(image?.src)).toBe("big");
});

test("a cell without a picture shows its words, and hostile ones stay words", () => {
  const failed = ["FAILED", null, null, null, null, null, 0, [], null, 0, 3, EVIL];
  board = new Board(boardState([{ name: EVIL, labels: [EVIL, "b"] }], () => failed));
  board.click(board.tiles[0]);
  board.deliver({ ...details(0, { [EVIL]: EVIL }), reason: EVIL });
  press("i");
  expect(box()?.querySelector(".fal-nb-lwords")?.textContent).toContain(EVIL);
  expect(box()?.querySelector(".fal-nb-lpanel")?.textContent).toContain(EVIL);
  expect(document.querySelectorAll("script, img[src=x]")).toHaveLength(0);
  press("i");
});

test("a film is shown with a player", () => {
  board = new Board(boardState([{ name: "n", labels: ["1"] }], (place) => done(place, "video", "video/mp4")));
  board.click(board.tiles[0]);
  expect(box()?.querySelector("video")?.controls).toBe(true);
});

test("a card's picture opens the same lightbox with the card's arguments", () => {
  card = new Card({
    state: "SUCCEEDED",
    outputs: [picture(0), picture(1)],
    arguments: { prompt: "a red fox", seed: 7 },
  });
  card.deliver(
    {
      kind: "media",
      which: "thumbnail",
      index: 0,
      part: 0,
      parts: 1,
      content_type: "image/webp",
      size_bytes: 5,
    },
    bytes("small"),
  );
  card.click(card.find(".fal-nb-open"));
  expect(box()?.querySelector(".fal-nb-ltitle")?.textContent).toBe("a red fox");
  press("i");
  expect(box()?.querySelector(".fal-nb-lpanel")?.textContent).toContain("seed7");
  press("i");
});
