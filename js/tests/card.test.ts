import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import cardModule from "../src/card";
import { bytes } from "./blobs";
import { Card, NOW, picture } from "./card_fixture";
import { FakeModel } from "./fake_model";

const EVIL = '<img src=x onerror="globalThis.hacked = 1"><script>globalThis.hacked = 1</script>&lt;b&gt;';

let card: Card;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"], now: NOW * 1000 });
});

afterEach(() => {
  card.close();
  vi.useRealTimers();
});

test.each([
  ["PREPARED", "preparing"],
  ["SUBMITTING", "sending"],
  ["QUEUED", "queued"],
  ["RUNNING", "running"],
  ["SUCCEEDED", "done"],
  ["FAILED", "failed"],
  ["CANCELLED", "cancelled"],
  ["UNKNOWN", "unknown"],
  ["SKIPPED", "skipped"],
])("%s is shown as %s, with endpoint, record and prompt", (state, word) => {
  card = new Card({ state });
  expect(card.text("state")).toBe(word);
  expect(card.text("endpoint")).toBe("fal-ai/flux/dev");
  expect(card.text("record")).toBe("#128");
  expect(card.text("prompt")).toBe("a red fox");
  const isOpen = ["PREPARED", "SUBMITTING", "QUEUED", "RUNNING"].includes(state);
  expect(card.bar !== null).toBe(isOpen);
  expect(card.button("Cancel") !== null).toBe(isOpen);
});

test("only a simulated job is labelled as simulated", () => {
  card = new Card();
  expect(card.findAll(".fal-nb-badge")).toEqual([]);
  card.patch({ backend: "simulator", kind: "direct" });
  expect(card.findAll(".fal-nb-badge").map((badge) => badge.textContent)).toEqual(["direct", "simulated"]);
});

test("a queued job says its place, counted from one, on a bar without a value", () => {
  card = new Card({ state: "QUEUED", queue_position: 2 });
  expect(card.text("words")).toBe("position 3 in the queue");
  expect(card.bar?.getAttribute("aria-valuetext")).toBe("position 3 in the queue");
  expect(card.bar?.hasAttribute("aria-valuenow")).toBe(false);
  card.patch({ queue_position: 0 });
  expect(card.text("words")).toBe("position 1 in the queue");
  card.patch({ queue_position: null });
  expect(card.text("words")).toBe("in the queue");
});

test("steps move the bar", () => {
  card = new Card({ steps: [13, 26], progress: 0.5 });
  expect(card.text("words")).toBe("13/26");
  expect(card.bar?.getAttribute("aria-valuenow")).toBe("50");
  expect(card.bar?.getAttribute("aria-valuetext")).toBe("13 of 26 steps");
  expect(card.find(".fal-nb-fill")?.style.transform).toBe("translateX(-50.0%)");
  const bar = card.bar;
  card.patch({ steps: [26, 26], progress: 1 });
  expect(card.find(".fal-nb-fill")?.style.transform).toBe("translateX(0.0%)");
  expect(card.bar).toBe(bar);
});

test("progress without steps is a percentage, one from history is said to be about right", () => {
  card = new Card({ progress: 0.46 });
  expect(card.text("words")).toBe("46 %");
  expect(card.bar?.dataset.bar).toBe("known");
  card.patch({ progress: 0.62, progress_source: "history" });
  expect(card.text("words")).toBe("about 60 %");
  expect(card.bar?.dataset.bar).toBe("guess");
});

test("with an expected time the bar moves by the clock and never arrives by itself", () => {
  card = new Card({ started: NOW - 5, expected_s: 10 });
  expect(card.text("words")).toBe("about 50 %");
  expect(card.bar?.dataset.bar).toBe("guess");
  vi.advanceTimersByTime(2_000);
  expect(card.text("words")).toBe("about 70 %");
  expect(card.bar?.getAttribute("aria-valuenow")).toBe("70");
  expect(card.find(".fal-nb-fill")?.style.transform).toBe("translateX(-30.0%)");
  vi.advanceTimersByTime(500_000);
  expect(card.text("words")).toBe("about 95 %");
  card.patch({ steps: [1, 4], progress: 0.25 });
  expect(card.text("words")).toBe("1/4");
});

test("a running job of which nothing is known has a bar without a value", () => {
  card = new Card();
  expect(card.bar?.dataset.bar).toBe("waiting");
  expect(card.bar?.hasAttribute("aria-valuenow")).toBe(false);
});

test("time goes on in whole seconds by the kernel's clock, and stands still at the end", () => {
  card = new Card({ submitted: NOW - 104 }, { now_offset: 100 });
  expect(card.text("elapsed")).toBe("4 s");
  vi.advanceTimersByTime(57_000);
  expect(card.text("elapsed")).toBe("1 min 01 s");
  card.patch({ state: "SUCCEEDED", ended: NOW - 104 + 2.345 });
  expect(card.text("elapsed")).toBe("2.35 s");
  vi.advanceTimersByTime(5_000);
  expect(card.text("elapsed")).toBe("2.35 s");
  expect(vi.getTimerCount()).toBe(0);
});

test("without a hub the clock comes from the state itself", () => {
  card = new Card({ submitted: NOW - 504, now: NOW - 500 });
  expect(card.text("elapsed")).toBe("4 s");
  card.patch({ now: NOW - 502 });
  vi.advanceTimersByTime(1_000);
  expect(card.text("elapsed")).toBe("5 s");
});

test("cost is shown where it is known, before that the estimate", () => {
  card = new Card({ estimate: 0.025, currency: "USD" });
  expect(card.text("cost")).toBe("est. ≤ 0.025 USD");
  card.patch({ cost: 0.0213 });
  expect(card.text("cost")).toBe("0.0213 USD");
  card.patch({ cost: null, estimate: null });
  expect(card.text("cost")).toBe("");
});

test("a job that waits for its turn says how long, in the row of its bar", () => {
  card = new Card({ state: "PREPARED", next_step: "The next try comes in 12 s." });
  expect(card.text("words")).toBe("The next try comes in 12 s.");
  card.patch({ state: "QUEUED", next_step: null, queue_position: 0 });
  expect(card.text("words")).toBe("position 1 in the queue");
});

test("an equal call in the history is named in one quiet line, as text", () => {
  card = new Card({ equal: "same call as #7, 0.0300 USD; --memo reuses it <b>" });
  expect(card.text("equal")).toBe("same call as #7, 0.0300 USD; --memo reuses it <b>");
  card.patch({ equal: null });
  expect(card.find(".fal-nb-equal")).toBeNull();
});

test("a job that succeeded gives its times and no cancel", () => {
  card = new Card({ state: "SUCCEEDED", can_cancel: false, queue_s: 0.42, inference_s: 12.34 });
  expect(card.text("summary")).toBe("queue 0.42 s · inference 12.3 s");
  expect(card.findAll("button")).toEqual([]);
  expect(card.find(".fal-nb-notice")).toBeNull();
});

test("a failed job says what went wrong, of which type, and what to do", () => {
  card = new Card({
    state: "FAILED",
    error: "width is too large",
    error_type: "value_error",
    next_step: "Correct it.",
  });
  expect(card.text("notice")).toContain("width is too large");
  expect(card.text("notice")).toContain("value_error");
  expect(card.text("notice")).toContain("Correct it.");
});

test("an unknown job says that it may have been charged", () => {
  card = new Card({ state: "UNKNOWN", error: "connection reset" });
  expect(card.text("summary")).toBe("sent, answer lost; may have been charged");
  expect(card.text("notice")).toContain("never sent again by itself");
  expect(card.text("notice")).toContain("connection reset");
});

test("a skipped job says why it was not sent, and shows no time", () => {
  card = new Card({ state: "SKIPPED", error: "the budget is used up", ended: NOW });
  expect(card.text("summary")).toBe("not sent");
  expect(card.text("notice")).toContain("the budget is used up");
  expect(card.text("elapsed")).toBe("");
});

test("cancel is sent once, waits for the kernel in words, and is over when Python answers", () => {
  card = new Card();
  card.click(card.button("Cancel"));
  expect(card.model.sentOf("cancel")).toEqual([{ kind: "cancel" }]);
  const waiting = card.button("sent, waiting for the kernel");
  expect(waiting?.disabled).toBe(true);
  waiting?.click();
  expect(card.model.sentOf("cancel")).toHaveLength(1);
  card.patch({ steps: [3, 4] });
  expect(card.button("sent, waiting for the kernel")).not.toBeNull();
  card.patch({ cancel: "asked", can_cancel: false });
  expect(card.button("cancelling…")?.disabled).toBe(true);
  card.patch({ state: "CANCELLED", cancel: "OK" });
  expect(card.findAll("button")).toEqual([]);
  expect(card.text("summary")).toBe("cancelled while it was queued");
});

test("a cancel that was sent stays sent when the card is drawn anew, and can be sent again if Python allows it", () => {
  card = new Card();
  card.click(card.button("Cancel"));
  const later = new Card({}, { cancel_sent: card.model.get("cancel_sent") });
  expect(later.button("sent, waiting for the kernel")?.disabled).toBe(true);
  later.patch({ cancel: "asked", can_cancel: false });
  later.patch({ cancel: null, can_cancel: true });
  expect(later.button("Cancel")?.disabled).toBe(false);
  later.close();
});

test.each([
  ["CANCELLATION_REQUESTED", "cancel requested; a running endpoint may still finish"],
  ["ALREADY_COMPLETED", "too late to cancel: it had ended"],
  ["NOT_FOUND", "fal does not know this request any more"],
  ["constructor", "cancel: constructor"],
])("the answer %s to a cancel is said in words", (cancel, words) => {
  card = new Card({ state: "SUCCEEDED", cancel });
  expect(card.text("summary")).toBe(words);
});

test("a job that cannot be cancelled offers no button", () => {
  card = new Card({ can_cancel: false });
  expect(card.findAll("button")).toEqual([]);
});

test("where there is no prompt the kernel's line stands for it", () => {
  card = new Card({ prompt: null, line: "audio: a.mp3 · chunk: 3" });
  expect(card.text("prompt")).toBe("audio: a.mp3 · chunk: 3");
});

test("a screen reader is told of changes of the state, not of steps", () => {
  card = new Card({ state: "QUEUED" });
  const region = card.find('[aria-live="polite"]');
  expect(card.findAll("[aria-live=polite], [aria-live=assertive]")).toHaveLength(1);
  expect(region?.textContent).toBe("fal-ai/flux/dev #128: queued");
  card.patch({ state: "RUNNING" });
  expect(region?.textContent).toBe("fal-ai/flux/dev #128: running");
  const told = vi.fn();
  const observer = new MutationObserver(told);
  observer.observe(region as Node, { childList: true, characterData: true, subtree: true });
  card.patch({ steps: [1, 2], logs: ["x"], log_count: 1, progress: 0.5 });
  expect(observer.takeRecords()).toEqual([]);
  observer.disconnect();
});

test("text is text, wherever it comes from", () => {
  const output = {
    ...picture(0),
    kind: "file",
    file_name: EVIL,
    content_type: EVIL,
    error: EVIL,
    stored: false,
  };
  card = new Card({
    ...{ state: "FAILED", endpoint: EVIL, kind: EVIL, backend: EVIL, request_id: EVIL, prompt: EVIL },
    ...{ error: EVIL, error_type: EVIL, next_step: EVIL, cancel: EVIL, currency: EVIL, cost: 1 },
    ...{ logs: [EVIL], log_count: 1, text: EVIL, arguments: { [EVIL]: EVIL } },
    outputs: [
      output,
      { ...output, index: 1, kind: "text", text: `${EVIL} 2` },
      picture(2, { file_name: EVIL }),
    ],
  });
  card.openLogs();
  expect(card.findAll("script, b, img")).toEqual([]);
  expect((globalThis as { hacked?: number }).hacked).toBeUndefined();
  for (const name of ["endpoint", "prompt", "notice", "reading", "box", "last"]) {
    expect(card.text(name)).toContain("<script>");
  }
});

test("odd values do not break the card", () => {
  card = new Card({
    ...{ state: "SOMETHING_NEW", steps: [1, 0], progress: Number.NaN, queue_position: "x", logs: null },
    ...{
      log_count: null,
      outputs: null,
      arguments: null,
      prompt: null,
      cost: "free",
      submitted: null,
      created: null,
    },
  });
  expect(card.text("state")).toBe("something_new");
  card.patch({ state: "RUNNING", expected_s: 0, started: NOW });
  expect(card.bar?.dataset.bar).toBe("waiting");
});

test("taking the card away leaves no listener, no timer and no element, however it is taken away", () => {
  card = new Card();
  expect(vi.getTimerCount()).toBe(1);
  act(() => card.controller.abort());
  expect(card.model.listenerCount).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  expect(card.el.childElementCount).toBe(0);
});

test("many cards share one timer and one style sheet", () => {
  card = new Card();
  const others = [new Card(), new Card()];
  expect(vi.getTimerCount()).toBe(1);
  expect(document.head.querySelectorAll("style")).toHaveLength(1);
  for (const other of others) other.close();
  expect(vi.getTimerCount()).toBe(1);
});

/** Outlives a test, as the observers of the page do. */
const watched = new Map<Element, (entries: object[]) => void>();

/** An IntersectionObserver that sees what it is told to see. */
function stubSight(): (visible: boolean) => void {
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(readonly callback: (entries: object[]) => void) {}
      observe(element: Element) {
        watched.set(element, this.callback);
      }
      unobserve(element: Element) {
        watched.delete(element);
      }
    },
  );
  return (isIntersecting) =>
    act(() => {
      for (const [target, callback] of watched) callback([{ target, isIntersecting }]);
    });
}

test("a card out of sight does not tick", () => {
  const see = stubSight();
  card = new Card();
  expect(vi.getTimerCount()).toBe(0);
  see(true);
  expect(vi.getTimerCount()).toBe(1);
  see(false);
  expect(vi.getTimerCount()).toBe(0);
});

test("a card out of sight takes in steps when it comes back, but changes of its state at once", () => {
  const see = stubSight();
  card = new Card({ steps: [1, 9] });
  see(false);
  card.patch({ steps: [2, 9] });
  card.patch({ steps: [3, 9] });
  expect(card.text("words")).toBe("1/9");
  see(true);
  expect(card.text("words")).toBe("3/9");
  see(false);
  card.patch({ steps: [4, 9] });
  card.patch({ state: "SUCCEEDED", outputs: [picture(0)] });
  expect(card.text("state")).toBe("done");
  expect(card.findAll("figure")).toHaveLength(1);
});

test("inside a shadow root the style sheet is there too, once", () => {
  card = new Card();
  const root = document.createElement("div").attachShadow({ mode: "open" });
  document.body.append(root.host);
  const ends = [0, 1].map(() => {
    const el = document.createElement("div");
    root.append(el);
    return cardModule.render({ model: new FakeModel({ state: {} }), el });
  });
  expect(root.querySelectorAll("style")).toHaveLength(1);
  expect(document.head.querySelectorAll("style")).toHaveLength(1);
  for (const end of ends) end();
});

test("a picture that is too large to be looked into is not asked for", () => {
  const error = "no preview, 60000×60000 pixels are too many";
  const outputs = [
    picture(0, { has_thumbnail: false, size_bytes: 9_000, error }),
    picture(1, { has_thumbnail: false }),
  ];
  card = new Card({ state: "SUCCEEDED", outputs });
  const asked = card.model.sent.map((message) => (message as { index?: number }).index);
  expect(asked).toEqual([1]);
  expect(card.text("caption")).toContain("too many");
});

test("what a stream has shown so far grows in place, and its newest picture is asked for", () => {
  const newest = (count: number) => picture(-1, { file_name: `event ${count}`, has_thumbnail: true });
  card = new Card({ kind: "stream", text: "Once", partial: { count: 1, picture: newest(1) } });
  const reading = card.find(".fal-nb-reading");
  expect(reading?.textContent).toBe("Once");
  const asked = () =>
    card.model.sent.filter((message) => (message as { index?: number }).index === -1).length;
  expect(asked()).toBe(1);
  const part = {
    kind: "media",
    which: "thumbnail",
    index: -1,
    part: 0,
    parts: 1,
    content_type: "image/webp",
  };
  card.deliver({ ...part, size_bytes: 3 }, bytes("one"));
  card.patch({ text: `Once upon ${EVIL}`, partial: { count: 2, picture: newest(2) } });
  expect(card.find(".fal-nb-reading")).toBe(reading);
  expect(reading?.textContent).toBe(`Once upon ${EVIL}`);
  expect(asked()).toBe(2);
  card.patch({ state: "SUCCEEDED", text: "Once upon a time", partial: null, outputs: [picture(0)] });
  expect(card.findAll("figcaption").map((caption) => caption.textContent?.split(" · ")[0])).toEqual([
    "fox_0.png",
  ]);
  expect(globalThis).not.toHaveProperty("hacked");
});

test("a growing text is scrolled to its end, unless somebody reads further up", () => {
  card = new Card({ kind: "stream", text: "a", partial: { count: 1 } });
  const box = card.find(".fal-nb-reading") as HTMLElement;
  Object.defineProperty(box, "scrollHeight", { value: 900 });
  Object.defineProperty(box, "clientHeight", { value: 300 });
  card.patch({ text: "a b" });
  expect(box.scrollTop).toBe(900);
  box.scrollTop = 100;
  box.dispatchEvent(new Event("scroll"));
  card.patch({ text: "a b c" });
  expect(box.scrollTop).toBe(100);
});

test("a job in which nothing moves says so, for how long, and can be told to wait", () => {
  card = new Card({ state: "QUEUED", stalled: [NOW - 125, 12] });
  expect(card.text("stalled")).toContain(
    "nothing has moved for 2 min 05 s; 95 of 100 such calls are over within 12 s",
  );
  expect(card.button("Cancel")).not.toBeNull();
  card.click(card.button("Keep waiting"));
  expect(card.model.sent).toEqual([{ kind: "keep-waiting" }]);
  card.patch({ stalled: null });
  expect(card.text("stalled")).toBeUndefined();
  card.patch({ stalled: [NOW - 125, null], state: "SUCCEEDED" });
  expect(card.text("stalled")).toBeUndefined();
});
