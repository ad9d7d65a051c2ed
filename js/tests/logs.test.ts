import { afterEach, expect, test } from "vitest";
import { Card } from "./card_fixture";

let card: Card;

afterEach(() => card.close());

function lines(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, place) => `line ${from + place}`);
}

function box(): HTMLElement {
  const found = card.find(".fal-nb-box");
  if (!found) throw new Error("the log box is not open");
  return found;
}

/** jsdom has no layout: gives the box the sizes it would have. */
function layOut(element: HTMLElement): { scrolledTo: () => number; scrollTo: (top: number) => void } {
  let top = 0;
  Object.defineProperties(element, {
    scrollHeight: { get: () => element.childElementCount * 10 },
    clientHeight: { get: () => 100 },
    scrollTop: {
      get: () => top,
      set: (to: number) => (top = Math.min(to, element.childElementCount * 10 - 100)),
    },
  });
  const scrollTo = (to: number) => {
    element.scrollTop = to;
    element.dispatchEvent(new Event("scroll"));
  };
  return { scrolledTo: () => top, scrollTo };
}

test("the last line is always in sight, the others on demand", () => {
  card = new Card({ logs: [], log_count: 0 });
  expect(card.text("last")).toBe("no log lines yet");
  card.patch({ logs: lines(0, 28), log_count: 28 });
  expect(card.text("last")).toBe("line 27");
  expect(card.text("toggle")).toBe("logs (28)");
  expect(card.find(".fal-nb-box")).toBeNull();
  card.openLogs();
  expect([...box().children].map((line) => line.textContent)).toEqual(lines(0, 28));
  expect(card.text("request")).toContain("764cabcf");
});

test("new lines are appended, and those that are there stay the elements they were", () => {
  card = new Card({ logs: lines(0, 3), log_count: 3 });
  card.openLogs();
  const before = [...box().children];
  card.patch({ logs: lines(1, 5), log_count: 5 });
  expect([...box().children].map((line) => line.textContent)).toEqual(lines(0, 5));
  expect([...box().children].slice(0, 3)).toEqual(before);
  expect(box().children[0]).toBe(before[0]);
});

test("the box is open again where the card is drawn anew", () => {
  card = new Card({ logs: ["a"], log_count: 1 });
  card.openLogs();
  const later = new Card({ logs: ["a"], log_count: 1 }, { logs_open: card.model.get("logs_open") });
  expect(later.find<HTMLDetailsElement>("details")?.open).toBe(true);
  expect(later.text("box")).toBe("a");
  later.close();
});

test("a late line that Python put in its place is shown in its place", () => {
  card = new Card({ logs: ["a", "c"], log_count: 2 });
  card.openLogs();
  card.patch({ logs: ["a", "b", "c"], log_count: 3 });
  expect([...box().children].map((line) => line.textContent)).toEqual(["a", "b", "c"]);
});

test("after a gap the box shows what there is", () => {
  card = new Card({ logs: lines(0, 3), log_count: 3 });
  card.openLogs();
  card.patch({ logs: lines(100, 300), log_count: 300 });
  expect([...box().children].map((line) => line.textContent)).toEqual(lines(100, 300));
});

test("the box follows the end until the reader scrolls up, and again once the reader is back", () => {
  card = new Card({ logs: lines(0, 50), log_count: 50 });
  card.openLogs();
  const { scrolledTo, scrollTo } = layOut(box());
  card.patch({ logs: lines(0, 60), log_count: 60 });
  expect(scrolledTo()).toBe(500);
  scrollTo(200);
  card.patch({ logs: lines(0, 70), log_count: 70 });
  expect(scrolledTo()).toBe(200);
  scrollTo(600);
  card.patch({ logs: lines(0, 80), log_count: 80 });
  expect(scrolledTo()).toBe(700);
});

test("the box does not grow without end", () => {
  card = new Card({ logs: lines(0, 200), log_count: 200 });
  card.openLogs();
  for (let end = 400; end <= 2_000; end += 200) card.patch({ logs: lines(end - 200, end), log_count: end });
  expect(box().childElementCount).toBe(1_000);
  expect(box().lastElementChild?.textContent).toBe("line 1999");
});

test("a line is shown as a terminal would leave it", () => {
  card = new Card({ logs: ["\u001b[32mloading\u001b[0m", " 10%|#  | 1/10\r 20%|## | 2/10\r"], log_count: 2 });
  expect(card.text("last")).toBe("20%|## | 2/10");
  card.openLogs();
  expect(box().firstElementChild?.textContent).toBe("loading");
});
