import { expect, test } from "vitest";
import { cancelWords, fileSize, logLine, money, runningSeconds, seconds } from "../src/lib/format";

test.each([
  [0.844, "0.84 s"],
  [9.994, "9.99 s"],
  [9.996, "10.0 s"],
  [12.34, "12.3 s"],
  [59.96, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3_599.9, "1 h 00 min"],
  [3_725, "1 h 02 min"],
  [-1, ""],
  [null, ""],
  [undefined, ""],
  [Number.NaN, ""],
])("%s seconds are %s", (value, words) => {
  expect(seconds(value)).toBe(words);
});

test.each([
  [-3, "0 s"],
  [0.99, "0 s"],
  [59.99, "59 s"],
  [60, "1 min 00 s"],
])("%s seconds that go on are %s", (value, words) => {
  expect(runningSeconds(value)).toBe(words);
});

test.each([
  [0.025, "USD", "0.025 USD"],
  [0.03, "USD", "0.03 USD"],
  [0.1, "USD", "0.10 USD"],
  [0, "USD", "0.00 USD"],
  [1, null, "1.00 USD"],
  [12.345, "EUR", "12.35 EUR"],
  [0.0000123, "USD", "0.000012 USD"],
  [null, "USD", ""],
])("%s %s is written %s", (value, currency, words) => {
  expect(money(value, currency)).toBe(words);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [12_345, "12.3 kB"],
  [4_000_000, "4.0 MB"],
  [5_000_000_000_000, "5000.0 GB"],
  [null, ""],
])("%s bytes are %s", (value, words) => {
  expect(fileSize(value)).toBe(words);
});

test("an answer to a cancel that nobody knows is shown as it is", () => {
  expect(cancelWords("TEAPOT")).toBe("cancel: TEAPOT");
  expect(cancelWords(null)).toBe("");
});

test("a log line becomes what a terminal would leave of it", () => {
  expect(logLine("one\rtwo\r\n")).toBe("two");
});
