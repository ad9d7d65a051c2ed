/** Numbers and states in a person's words, the same as in the static twin. */

import type { JobState } from "./messages";

export const STATE_WORDS: Record<JobState, string> = {
  PREPARED: "preparing",
  SUBMITTING: "sending",
  QUEUED: "queued",
  RUNNING: "running",
  SUCCEEDED: "done",
  FAILED: "failed",
  CANCELLED: "cancelled",
  UNKNOWN: "unknown",
  SKIPPED: "skipped",
};

const CANCEL_WORDS: Record<string, string> = {
  asked: "cancel sent, waiting for fal",
  OK: "cancelled while it was queued",
  CANCELLATION_REQUESTED: "cancel requested; a running endpoint may still finish",
  ALREADY_COMPLETED: "too late to cancel: it had ended",
  NOT_FOUND: "fal does not know this request any more",
};

/** `0.84 s`, `12.3 s`, `2 min 05 s` or `1 h 02 min`; empty where nothing is known. */
export function seconds(value: number | null | undefined): string {
  if (!isNumber(value) || value < 0) return "";
  if (value < 9.995) return `${value.toFixed(2)} s`;
  if (value < 59.95) return `${value.toFixed(1)} s`;
  return minutes(Math.round(value));
}

/** Time that goes on, in whole seconds so that it ticks calmly: `12 s`, `2 min 05 s`. */
export function runningSeconds(value: number): string {
  const whole = Math.max(0, Math.floor(value));
  return whole < 60 ? `${whole} s` : minutes(whole);
}

function minutes(whole: number): string {
  const all = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  if (all < 60) return `${all} min ${rest} s`;
  return `${Math.floor(all / 60)} h ${String(all % 60).padStart(2, "0")} min`;
}

/** `0.03 USD`, `0.025 USD`: two decimals, up to four below 1, two digits that count below 0.0001. */
export function money(value: number | null | undefined, currency: string | null | undefined): string {
  if (!isNumber(value)) return "";
  const size = Math.abs(value);
  const unit = currency || "USD";
  if (size > 0 && size < 0.0001) {
    return `${value.toFixed(Math.min(20, 1 - Math.floor(Math.log10(size))))} ${unit}`;
  }
  const text = value.toFixed(size < 1 ? 4 : 2);
  return `${text.replace(/(\.\d\d\d*?)0+$/, "$1")} ${unit}`;
}

/** `512 B`, `12.3 kB`, `4.0 MB`. */
export function fileSize(value: number | null | undefined): string {
  if (!isNumber(value) || value < 0) return "";
  let number = value;
  for (const unit of ["B", "kB", "MB"]) {
    if (number < 1000) return unit === "B" ? `${Math.round(number)} B` : `${number.toFixed(1)} ${unit}`;
    number /= 1000;
  }
  return `${number.toFixed(1)} GB`;
}

/** What an answer to a cancel means; empty where none was asked for. */
export function cancelWords(answer: string | null | undefined): string {
  if (!answer) return "";
  return Object.hasOwn(CANCEL_WORDS, answer) ? (CANCEL_WORDS[answer] ?? "") : `cancel: ${answer}`;
}

const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, "g");

/** A log line as a terminal would leave it: no colour codes, and only what stands after a carriage return. */
export function logLine(line: string): string {
  return (line.replace(ANSI, "").trimEnd().split("\r").at(-1) ?? "").trimEnd();
}

export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
