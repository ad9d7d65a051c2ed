/** Every message between a board in the page and the kernel, and what its state holds. The same list as in Python. */

import type {
  JobState,
  MediaError,
  MediaPart,
  MediaRequest,
  ModulePart,
  ModuleRequest,
  OutputKind,
} from "./messages";

export interface Axis {
  name: string;
  labels: string[];
}

/** `[kind, content type, digest, width, height, duration_s, size_bytes, text]` */
export type ArtifactRow = [
  OutputKind,
  string,
  string,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  string?,
];

/**
 * `[coordinates, state, progress, cost, estimate, total_s, rating, memo, scores, artifact, artifact count,
 * record id, reason]`, cut after the last one that says anything.
 */
export type CellRow = [
  number[],
  JobState,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  number?,
  (number | null)[]?,
  (ArtifactRow | null)?,
  number?,
  (number | null)?,
  string?,
];

/** Beside these keys, `c0` to `c<count - 1>` hold one `CellRow` each. */
export interface BoardState {
  view: string;
  name: string;
  endpoint: string;
  backend: string;
  axes: Axis[];
  scores: string[];
  counts: Partial<Record<JobState, number>>;
  spent: number;
  reserved: number;
  budget?: number | null;
  currency?: string | null;
  seconds_left?: number | null;
  is_paused: boolean;
  /** What waits is not called by itself: nothing runs, or not yet. */
  is_at_rest?: boolean;
  /** In a file of its own: nothing can be called, stopped or rated there. */
  is_export?: boolean;
  count: number;
  [cell: `c${number}`]: CellRow;
}

// --- view → Python ---

export type BoardEvent =
  | { kind: "pause" | "resume" | "cancel" | "retry" }
  | { kind: "cancel-cell"; cell: number }
  | { kind: "rate"; cell: number; rating: number | null }
  | { kind: "thumbnails"; cells: number[] }
  | { kind: "details"; cells: number[] }
  | MediaRequest
  | ModuleRequest;

// --- Python → view ---

/** Pictures one behind the other in one buffer: `[cell, digest, bytes]` each; no bytes where there is none. */
export interface Thumbnails {
  kind: "thumbnails";
  pictures: [number, string, number][];
}

export interface Details {
  kind: "details";
  cell: number;
  arguments: Record<string, unknown>;
  reason: string;
  request_id?: string | null;
  text: string;
  /** A gallery's: what a person has written about it. */
  note?: string;
}

export type BoardMessage = Thumbnails | Details | MediaPart | MediaError | ModulePart;
