import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Blobs, bytes } from "./blobs";
import { AXES, Board, boardState, done } from "./board_fixture";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>&lt;b&gt;';
const NUMBERS = (name: string, count: number) => ({
  name,
  labels: Array.from({ length: count }, (_, at) => String(at)),
});

let board: Board;
let blobs: Blobs;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  blobs = new Blobs();
  blobs.install();
});

afterEach(() => {
  board.close();
  vi.useRealTimers();
});

test("cells lie by their axes, and swapping them sends nothing", () => {
  board = new Board(boardState(AXES.slice(0, 2)));
  expect(board.labels).toEqual([
    "fox · ukiyo-e",
    "fox · bauhaus",
    "fox · risograph",
    "owl · ukiyo-e",
    "owl · bauhaus",
    "owl · risograph",
  ]);
  expect(board.texts(".fal-nb-blabel")).toEqual(["ukiyo-e", "bauhaus", "risograph"]);
  const sent = board.model.sent.length;
  board.click(board.find("[data-action=swap]"));
  expect(board.labels.slice(0, 3)).toEqual(["fox · ukiyo-e", "owl · ukiyo-e", "fox · bauhaus"]);
  expect(board.texts(".fal-nb-blabel")).toEqual(["fox", "owl"]);
  board.choose('[data-place="rows"] select', "animal");
  expect(board.texts(".fal-nb-blabel")).toEqual(["ukiyo-e", "bauhaus", "risograph"]);
  expect(board.model.sent.length).toBe(sent);
});

test("an axis is dragged to another place", () => {
  board = new Board(boardState(AXES.slice(0, 2)));
  const kept = new Map<string, string>();
  const dataTransfer = {
    types: ["application/x-fal-nb-axis"],
    setData: (type: string, value: string) => kept.set(type, value),
    getData: (type: string) => kept.get(type) ?? "",
  };
  const drag = (name: string, place: string) => {
    const event = Object.assign(new Event(name, { bubbles: true, cancelable: true }), { dataTransfer });
    act(() => {
      board.find(`[data-place="${place}"]`)?.dispatchEvent(event);
    });
    return event;
  };
  drag("dragstart", "rows");
  expect(drag("dragover", "columns").defaultPrevented).toBe(true);
  drag("drop", "columns");
  expect(board.texts(".fal-nb-blabel")).toEqual(["fox", "owl"]);
});

test("axes that lie nowhere are looked at one value at a time", () => {
  board = new Board(boardState([...AXES.slice(0, 3), NUMBERS("steps", 3), AXES[3] as never]));
  expect(board.labels[0]).toBe("fox · ukiyo-e · 2 · 0 · 1");
  board.choose('[data-picker="steps"] select', "2");
  expect(board.labels[0]).toBe("fox · ukiyo-e · 2 · 2 · 1");
});

test("of a thousand cells at most 80 are in the page, and only their thumbnails are asked for, in batches", () => {
  board = new Board(boardState([NUMBERS("steps", 20), NUMBERS("seed", 50)]));
  vi.runAllTimers();
  expect(board.tiles.length).toBeGreaterThan(20);
  expect(board.tiles.length).toBeLessThanOrEqual(80);
  const asked = board.model.sentOf("thumbnails").flatMap(({ cells }) => cells);
  expect(asked.length).toBe(board.tiles.length);
  for (const { cells } of board.model.sentOf("thumbnails")) expect(cells.length).toBeLessThanOrEqual(50);
  expect(board.find('[role="grid"]')?.getAttribute("aria-rowcount")).toBe("20");
});

test("thumbnails come several in one buffer and are asked for once", async () => {
  board = new Board(boardState(AXES.slice(0, 1)));
  vi.runAllTimers();
  expect(board.model.sentOf("thumbnails")).toEqual([{ kind: "thumbnails", cells: [0, 1] }]);
  board.deliver(
    {
      kind: "thumbnails",
      pictures: [
        [0, "digest0", 3],
        [1, "digest1", 4],
      ],
    },
    bytes("onetwo!"),
  );
  const urls = board.findAll(".fal-nb-tbox img").map((image) => image.getAttribute("src"));
  expect(await Promise.all(urls.map((url) => blobs.text(url)))).toEqual(["one", "two!"]);
  expect(blobs.all.every(({ type }) => type === "image/webp")).toBe(true);
  board.choose('[data-tool="size"] select', "small");
  vi.runAllTimers();
  expect(board.model.sentOf("thumbnails")).toHaveLength(1);
});

test.each([
  [["PREPARED"], "waiting"],
  [["QUEUED"], "queued"],
  [["RUNNING", 0.4], "running 40 %"],
  [
    ["FAILED", null, null, null, null, null, 0, [], null, 0, 3, "the runner went away"],
    "failedthe runner went away",
  ],
  [["UNKNOWN"], "unknownsent, answer lost; may have been charged"],
  [["SKIPPED", null, null, null, null, null, 0, [], null, 0, 0, "budget"], "skippedbudget"],
])("a cell that is %j says so", (row, words) => {
  board = new Board(boardState([NUMBERS("n", 1)], () => row));
  expect(board.find(".fal-nb-tbox")?.textContent?.replace("×", "")).toBe(words);
});

test("cells change one by one as they come, and a place without a cell says so", () => {
  const state = boardState(AXES.slice(0, 2), () => ["QUEUED"]);
  delete state.c4;
  board = new Board(state);
  expect(board.tiles[4]?.textContent).toBe("no such call");
  board.patch({ c2: [[0, 2], ...done(2)], c4: [[1, 1], "SKIPPED"] });
  expect(board.tiles.map((tile) => tile.dataset.state)).toEqual([
    "QUEUED",
    "QUEUED",
    "SUCCEEDED",
    "QUEUED",
    "SKIPPED",
    "QUEUED",
  ]);
});

test("what comes from memo, and how many files there are, is marked", () => {
  const row = done(0);
  row[6] = 1;
  row[9] = 4;
  board = new Board(boardState([NUMBERS("n", 1)], () => row));
  expect(board.texts(".fal-nb-tbadges > span")).toEqual(["memo", "+3"]);
});

test("the head counts one cell as one and thousands as such", () => {
  board = new Board({ ...boardState(AXES), counts: { SUCCEEDED: 1 } });
  expect(board.texts(".fal-nb-bcounts > span")).toEqual(["1 cell", "1 done"]);
  act(() => board?.model.patch({ counts: { SUCCEEDED: 2000 } }));
  expect(board.texts(".fal-nb-bcounts > span")).toEqual(["2,000 cells", "2,000 done"]);
});

test("the head says counts and money, and its buttons send one command each", () => {
  board = new Board({
    ...boardState(AXES, () => ["QUEUED"]),
    counts: { QUEUED: 45, FAILED: 3 },
    seconds_left: 75,
  });
  expect(board.texts(".fal-nb-bcounts > span")).toEqual(["48 cells", "45 queued", "3 failed"]);
  expect(board.texts(".fal-nb-bmoney > span")).toEqual(["spent 0.50 of 2.00 USD", "about 1 min 15 s left"]);
  for (const command of ["pause", "retry", "cancel"]) board.click(board.find(`[data-command=${command}]`));
  expect(board.model.sent.map(({ kind }) => kind)).toEqual(["pause", "retry", "cancel"]);
  expect(board.find<HTMLButtonElement>("[data-command=pause]")?.disabled).toBe(true);
  board.patch({ is_paused: true });
  board.click(board.find("[data-command=resume]"));
  expect(board.model.sent.at(-1)).toEqual({ kind: "resume" });
  board.patch({ is_paused: false, counts: { SUCCEEDED: 48 } });
  expect(board.findAll("[data-command]")).toEqual([]);
});

test("where nothing runs it offers to run the rest, and neither a pause nor a cancel", () => {
  board = new Board({
    ...boardState(AXES, () => ["PREPARED"]),
    counts: { PREPARED: 40, CANCELLED: 8 },
    is_at_rest: true,
  });
  expect(board.texts("[data-command]")).toEqual(["Run the rest (40)"]);
  board.click(board.find("[data-command=resume]"));
  expect(board.model.sent.at(-1)).toEqual({ kind: "resume" });
  board.patch({ is_at_rest: false });
  expect(board.texts("[data-command]")).toEqual(["Pause", "Cancel"]);
});

test("sorted cells lie one after the other by the column, and a rule leaves cells out", () => {
  board = new Board(boardState([NUMBERS("n", 5)]));
  board.choose('[data-tool="sort"] select', "-score:sharpness");
  expect(board.labels).toEqual(["4", "3", "2", "1", "0"]);
  board.choose('[data-tool="hide"] label select', "score:sharpness");
  board.choose('[data-tool="hide"] > select', "below");
  const input = board.find<HTMLInputElement>('[data-tool="hide"] input');
  act(() => {
    if (input) input.value = "0.15";
    input?.dispatchEvent(new Event("input", { bubbles: true }));
  });
  expect(board.labels).toEqual(["4", "3", "2"]);
  board.choose('[data-tool="sort"] select', "");
  expect(board.labels).toEqual(["2", "3", "4"]);
});

test("keys move, select, rate and open, and none of them reaches the page", () => {
  board = new Board(boardState(AXES.slice(0, 2)));
  const heard: string[] = [];
  const listener = ({ key }: KeyboardEvent) => heard.push(key);
  document.addEventListener("keydown", listener);
  board.tiles[0]?.focus();
  for (const key of ["ArrowRight", "ArrowDown", "ArrowDown", " ", "5"]) board.key(key);
  expect(document.activeElement?.textContent).toMatch(/^owl · bauhaus/);
  expect(board.find('[aria-selected="true"]')?.textContent).toMatch(/^owl · bauhaus/);
  expect(board.model.sentOf("rate")).toEqual([{ kind: "rate", cell: 4, rating: 5 }]);
  board.key("Home");
  expect(document.activeElement?.textContent).toMatch(/^owl · ukiyo-e/);
  expect(heard).toEqual([]);
  document.removeEventListener("keydown", listener);
  expect(board.find("section")?.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  expect(board.findAll('[role=gridcell][tabindex="0"]')).toHaveLength(1);
});

test("a cell is cancelled by its own button", () => {
  board = new Board(boardState([NUMBERS("n", 3)], () => ["RUNNING"]));
  board.click(board.findAll(".fal-nb-tcancel")[1]);
  expect(board.model.sent).toContainEqual({ kind: "cancel-cell", cell: 1 });
});

test("a film is fetched and plays when the pointer is on it, and stops when it leaves", () => {
  board = new Board(boardState([NUMBERS("n", 2)], (place) => done(place, "video", "video/mp4")));
  const play = vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
  const pause = vi.spyOn(HTMLMediaElement.prototype, "pause").mockReturnValue();
  const over = (name: string) => act(() => void board.tiles[0]?.dispatchEvent(new MouseEvent(name)));
  over("mouseenter");
  expect(board.model.sentOf("media")).toEqual([{ kind: "media", which: "original", index: 0 }]);
  const part = {
    kind: "media",
    which: "original",
    index: 0,
    part: 0,
    parts: 1,
    content_type: "video/mp4",
    size_bytes: 4,
  };
  board.deliver(part, bytes("film"));
  expect(board.findAll("video")).toHaveLength(1);
  expect(play).toHaveBeenCalledTimes(1);
  over("mouseleave");
  expect(board.findAll("video")).toHaveLength(0);
  expect(pause).toHaveBeenCalled();
});

test("hostile words stay words", () => {
  const axes = [
    { name: EVIL, labels: [EVIL, "b"] },
    { name: "other", labels: [EVIL] },
  ];
  const failed = ["FAILED", null, null, null, null, null, 0, [], null, 0, 3, EVIL];
  board = new Board({ ...boardState(axes, () => failed), name: EVIL, endpoint: EVIL, scores: [EVIL] });
  expect(board.el.textContent).toContain(EVIL);
  expect(document.querySelectorAll("img, script")).toHaveLength(0);
  expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
});

test("a board that is drawn anew looks as it was left, and without a board nothing listens", () => {
  const state = boardState();
  board = new Board(state);
  board.choose('[data-place="columns"] select', "style");
  board.choose('[data-tool="size"] select', "small");
  const labels = board.labels;
  const values = Object.fromEntries([...board.model.values].filter(([key]) => key !== "state"));
  board.close();
  expect(board.model.listenerCount).toBe(0);
  board = new Board(state, values);
  expect(board.labels).toEqual(labels);
  expect(board.tiles[0]?.dataset.size).toBe("small");
});

test("malformed messages change nothing", () => {
  board = new Board(boardState([NUMBERS("n", 1)]));
  const before = board.el.innerHTML;
  for (const content of [
    null,
    {},
    { kind: "thumbnails" },
    { kind: "thumbnails", pictures: [[0, "digest0", 99]] },
    { kind: "details", cell: 7 },
  ]) {
    board.deliver(content, bytes("x"));
  }
  expect(board.el.innerHTML).toBe(before);
});

test("what is opened above the page outlives a board that is drawn anew, not one that is gone for good", () => {
  const state = boardState(AXES.slice(0, 2));
  board = new Board(state);
  board.key(" ");
  board.key("ArrowRight");
  board.key(" ");
  board.click(board.find("[data-action=compare]"));
  const dialogs = () => document.querySelectorAll("dialog").length;
  expect(dialogs()).toBe(1);
  board.leave();
  vi.advanceTimersByTime(500);
  board = new Board(state);
  vi.advanceTimersByTime(5_000);
  expect(dialogs()).toBe(1);
  board.leave();
  act(() => void vi.advanceTimersByTime(5_000));
  expect(dialogs()).toBe(0);
});

test("the columns of a board of one axis name it", () => {
  board = new Board(boardState([NUMBERS("seed", 2)]));
  expect(board.texts(".fal-nb-blabel")).toEqual(["seed: 0", "seed: 1"]);
  expect(board.find(".fal-nb-bcorner")).toBeNull();
});

test("a comparison is two clicks away: the first cell is kept, the second opens both", () => {
  board = new Board(boardState(AXES.slice(0, 2)));
  const dialogs = () => document.querySelectorAll("dialog").length;
  const chips = board.findAll(".fal-nb-tcompare");
  board.click(chips[0]);
  expect(dialogs()).toBe(0);
  expect(board.findAll(".fal-nb-tcompare")[0]?.textContent).toBe("comparing…");
  board.click(chips[0]);
  expect(board.findAll('.fal-nb-tcompare[data-kept="true"]')).toEqual([]);
  board.key("c");
  board.key("ArrowRight");
  expect(dialogs()).toBe(0);
  board.key("c");
  expect(dialogs()).toBe(1);
  expect(board.model.sentOf("details").flatMap(({ cells }) => cells)).toEqual([0, 1]);
});
