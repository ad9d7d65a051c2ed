import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { displayType, KEEP_MS } from "../src/lib/media";
import { Blobs, bytes } from "./blobs";
import { Card, picture } from "./card_fixture";

let blobs: Blobs;
let cards: Card[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  blobs = new Blobs();
  blobs.install();
  cards = [];
});

afterEach(() => {
  for (const card of cards) card.close();
  vi.runOnlyPendingTimers();
  vi.useRealTimers();
});

function show(state: Record<string, unknown>): Card {
  const card = new Card({ state: "SUCCEEDED", can_cancel: false, ...state });
  cards.push(card);
  return card;
}

function part(which: string, index: number, number = 0, parts = 1, contentType = "image/webp") {
  return { kind: "media", which, index, part: number, parts, content_type: contentType, size_bytes: 9 };
}

function asked(card: Card): string[] {
  return card.model.sentOf("media").map(({ which, index }) => `${which} ${index}`);
}

function image(card: Card, name: string): HTMLImageElement | null {
  return card.find<HTMLImageElement>(`img.fal-nb-${name}`);
}

test("the thumbnail comes first, then the original takes its place; both in parts in any order", async () => {
  const card = show({ outputs: [picture(0)] });
  expect(asked(card)).toEqual(["thumbnail 0"]);
  card.deliver(part("thumbnail", 0), bytes("small"));
  expect(await blobs.text(image(card, "thumbnail")?.src)).toBe("small");
  expect(image(card, "thumbnail")?.alt).toBe("a red fox");
  expect(asked(card)).toEqual(["thumbnail 0", "original 0"]);
  card.deliver(part("original", 0, 2, 3, "image/png"), bytes("C"));
  card.deliver(part("original", 0, 0, 3, "image/png"), bytes("A"));
  card.deliver(part("original", 0, 0, 3, "image/png"), bytes("A"));
  expect(image(card, "original")).toBeNull();
  expect(card.find(".fal-nb-loading")?.style.getPropertyValue("--fal-nb-share")).toBe(String(2 / 3));
  card.deliver(part("original", 0, 1, 3, "image/png; charset=binary"), bytes("?"));
  card.deliver(part("original", 0, 1, 3, "image/png"), bytes("B"));
  card.deliver(part("original", 0, 0, 3, "image/png"), bytes("A"));
  card.deliver(part("original", 0, 2, 3, "image/png"), bytes("C"));
  const original = image(card, "original");
  expect(await blobs.text(original?.src)).toBe("ABC");
  expect(blobs.held.get(original?.src ?? "")?.type).toBe("image/png");
  expect(original?.alt).toBe("a red fox");
  expect(image(card, "thumbnail")?.alt).toBe("");
  expect(asked(card)).toHaveLength(2);
});

test.each([
  "text/html",
  "image/svg+xml",
  "IMAGE/SVG+XML; charset=utf-8",
  "application/xhtml+xml",
  "video/mp4",
  "image/",
  "",
])("a picture said to be %s never becomes a Blob URL", (contentType) => {
  const card = show({ outputs: [picture(0, { has_thumbnail: false })] });
  expect(asked(card)).toEqual(["original 0"]);
  card.deliver(part("original", 0, 0, 1, contentType), bytes("<svg onload=alert(1)>"));
  expect(blobs.all).toEqual([]);
  expect(card.findAll("img, iframe, object, embed")).toEqual([]);
  expect(card.text("caption")).toContain("is not shown");
});

test("only pictures, films and sounds of their own kind are shown", () => {
  expect(displayType("image/PNG", "image")).toBe("image/png");
  expect(displayType("video/mp4; codecs=avc1", "video")).toBe("video/mp4");
  expect(displayType("audio/x-wav", "audio")).toBe("audio/x-wav");
  for (const [type, kind] of [
    ["image/svg", "image"],
    ["image/xml", "image"],
    ["image/x html", "image"],
    ["audio/mpeg", "video"],
    ["model/gltf-binary", "image"],
    ["text/plain", "text"],
  ] as const) {
    expect(displayType(type, kind)).toBeUndefined();
  }
});

test("bytes that nobody asked for, and messages without bytes, are ignored", () => {
  const card = show({ outputs: [picture(0)] });
  card.deliver(part("original", 0), bytes("unasked"));
  card.deliver(part("thumbnail", 7), bytes("no such output"));
  card.deliver(part("thumbnail", 0));
  card.deliver(part("thumbnail", 0, 1, 1), bytes("outside"));
  card.deliver(null);
  card.deliver("junk");
  expect(blobs.all).toEqual([]);
});

test("a picture's box has its final shape before any byte is here", () => {
  const card = show({ outputs: [picture(0, { stored: false, has_thumbnail: false })] });
  expect(card.find(".fal-nb-tile")?.style.aspectRatio).toBe("1024 / 768");
  expect(card.find("figure")?.style.width).toBe("512px");
  expect(card.text("empty")).toBe("fetching…");
  expect(asked(card)).toEqual([]);
  card.patch({ outputs: [picture(0, { has_thumbnail: false })] });
  expect(asked(card)).toEqual(["original 0"]);
});

test("a single tall picture is kept low enough to be seen whole, a small one is not blown up", () => {
  const card = show({ outputs: [picture(0, { width: 500, height: 2000 })] });
  expect(card.find("figure")?.style.width).toBe("160px");
  card.patch({ outputs: [picture(0, { width: 256, height: 256 })] });
  expect(card.find("figure")?.style.width).toBe("256px");
});

test.each([
  [2, "2"],
  [3, "3"],
  [4, "4"],
  [6, "3"],
  [7, "4"],
])("%i pictures stand in %s columns, each with its own words", (count, columns) => {
  const card = show({ outputs: Array.from({ length: count }, (_, index) => picture(index)) });
  expect(card.find(".fal-nb-grid")?.style.getPropertyValue("--fal-nb-columns")).toBe(columns);
  card.deliver(part("thumbnail", 1), bytes("small"));
  expect(image(card, "thumbnail")?.alt).toBe(`a red fox (2 of ${count})`);
});

test("a large original waits for a click", () => {
  const card = show({ outputs: [picture(0, { size_bytes: 38_200_000 })] });
  card.deliver(part("thumbnail", 0), bytes("small"));
  expect(asked(card)).toEqual(["thumbnail 0"]);
  card.click(card.button("load 38.2 MB"));
  expect(asked(card)).toEqual(["thumbnail 0", "original 0"]);
  expect(card.button("load 38.2 MB")).toBeNull();
});

test("where the original cannot be had the thumbnail stays and the reason is said", () => {
  const card = show({ outputs: [picture(0)] });
  card.deliver(part("thumbnail", 0), bytes("small"));
  card.deliver({ kind: "media-error", which: "original", index: 0, error: "its file is gone <b>" });
  expect(image(card, "thumbnail")).not.toBeNull();
  expect(card.text("caption")).toContain("its file is gone <b>");
  expect(card.find("b")).toBeNull();
});

test("an output that was not stored is said to be so, and nothing is asked for", () => {
  const card = show({ outputs: [picture(0, { stored: false, has_thumbnail: false, error: "HTTP 404" })] });
  expect(asked(card)).toEqual([]);
  expect(card.text("caption")).toContain("not stored: HTTP 404");
});

test("a film has a player with its thumbnail as poster, a sound has a player under its waveform", async () => {
  const film = picture(0, { kind: "video", content_type: "video/mp4", file_name: "a.mp4", duration_s: 5 });
  const sound = picture(1, {
    kind: "audio",
    content_type: "audio/wav",
    file_name: "a.wav",
    width: null,
    height: null,
  });
  const card = show({ outputs: [film, sound] });
  card.deliver(part("thumbnail", 0), bytes("poster"));
  card.deliver(part("thumbnail", 1), bytes("wave"));
  expect(card.find("video")).toBeNull();
  card.deliver(part("original", 0, 0, 1, "video/mp4"), bytes("film"));
  card.deliver(part("original", 1, 0, 1, "audio/wav"), bytes("sound"));
  const video = card.find<HTMLVideoElement>("video");
  expect(await blobs.text(video?.src)).toBe("film");
  expect(await blobs.text(video?.poster)).toBe("poster");
  expect([video?.controls, video?.preload, video?.autoplay]).toEqual([true, "metadata", false]);
  const audio = card.find<HTMLAudioElement>("audio");
  expect(await blobs.text(audio?.src)).toBe("sound");
  expect(audio?.controls).toBe(true);
  expect(await blobs.text(card.find<HTMLImageElement>(".fal-nb-wave img")?.src)).toBe("wave");
});

test("other files are named with kind and size, texts can be read and copied", async () => {
  const written: string[] = [];
  vi.stubGlobal("navigator", { clipboard: { writeText: async (text: string) => written.push(text) } });
  const card = show({
    text: "the transcript",
    outputs: [
      picture(0, {
        kind: "mesh",
        content_type: "model/obj",
        file_name: "fox.obj",
        size_bytes: 4_821_000,
      }),
      picture(1, { kind: "text", content_type: "text/plain", file_name: "notes.txt", text: "some notes" }),
      picture(2, { kind: "text", content_type: "text/plain", file_name: "same.txt", text: "the transcript" }),
    ],
  });
  expect(card.findAll(".fal-nb-filename").map((row) => row.textContent)).toEqual([
    "fox.objmesh · 4.8 MB",
    "notes.txttext · 1.4 MB",
  ]);
  expect(card.findAll(".fal-nb-reading").map((block) => block.textContent)).toEqual([
    "some notes",
    "the transcript",
  ]);
  expect(asked(card)).toEqual([]);
  const copy = card.findAll("button").at(-1) ?? null;
  await act(async () => card.click(copy));
  expect(written).toEqual(["the transcript"]);
  expect(copy?.textContent).toBe("copied");
  act(() => {
    vi.advanceTimersByTime(2_000);
  });
  expect(copy?.textContent).toBe("copy");
});

test("two places that show one view share its bytes", () => {
  const first = show({ view: "shared", outputs: [picture(0)] });
  first.deliver(part("thumbnail", 0), bytes("small"));
  const second = show({ view: "shared", outputs: [picture(0)] });
  expect(image(second, "thumbnail")?.src).toBe(image(first, "thumbnail")?.src);
  expect(asked(second)).toEqual([]);
  expect(blobs.held.size).toBe(1);
});

test("a card that is shown again soon has its picture at once; after a while the bytes are let go", () => {
  const first = show({ view: "again", outputs: [picture(0)] });
  first.deliver(part("thumbnail", 0), bytes("small"));
  first.close();
  vi.advanceTimersByTime(KEEP_MS - 1);
  const second = show({ view: "again", outputs: [picture(0)] });
  expect(image(second, "thumbnail")).not.toBeNull();
  vi.advanceTimersByTime(KEEP_MS * 2);
  expect(blobs.held.size).toBe(1);
  second.close();
  vi.advanceTimersByTime(KEEP_MS);
  expect(blobs.held.size).toBe(0);
  const third = show({ view: "again", outputs: [picture(0)] });
  expect(asked(third)).toEqual(["thumbnail 0"]);
});

test("bytes that were under way when the card was taken away are asked for again", () => {
  const first = show({ view: "half", outputs: [picture(0)] });
  first.close();
  const second = show({ view: "half", outputs: [picture(0)] });
  expect(asked(second)).toEqual(["thumbnail 0"]);
  second.deliver(part("thumbnail", 0), bytes("small"));
  expect(image(second, "thumbnail")).not.toBeNull();
});

test("another file at the same place takes over, and the one before it stays until then", async () => {
  const card = show({ outputs: [picture(0)] });
  card.deliver(part("thumbnail", 0), bytes("first"));
  const before = image(card, "thumbnail")?.src;
  card.patch({ outputs: [picture(0, { file_name: "next.png" })] });
  expect(image(card, "thumbnail")?.src).toBe(before);
  expect(asked(card).filter((what) => what === "thumbnail 0")).toHaveLength(2);
  card.deliver(part("thumbnail", 0), bytes("second"));
  expect(await blobs.text(image(card, "thumbnail")?.src)).toBe("second");
  expect(blobs.held.has(before ?? "")).toBe(false);
});

test("outputs out of sight ask for nothing until they come near", () => {
  const seen = new Map<Element, (entries: object[]) => void>();
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(readonly callback: (entries: object[]) => void) {}
      observe(element: Element) {
        seen.set(element, this.callback);
      }
      unobserve(element: Element) {
        seen.delete(element);
      }
    },
  );
  const card = show({ outputs: [picture(0), picture(1)] });
  expect(asked(card)).toEqual([]);
  const second = card.findAll("figure")[1] as Element;
  act(() => seen.get(second)?.([{ target: second, isIntersecting: true }]));
  expect(asked(card)).toEqual(["thumbnail 1"]);
});
