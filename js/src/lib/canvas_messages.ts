/** Every message between a canvas in the page and the kernel, and what its state holds. The same list as in Python. */

import type { FormEvent, FormMessage, FormState } from "./form_messages";

export type LineState = "closed" | "connecting" | "open" | "failed";

export interface Pin {
  record: number;
  /** JSON of the source of the cell that makes the same call. */
  cell: string;
  rating: number | null;
}

/** Beside what its fields need, which is a form's. */
export interface CanvasState extends FormState {
  /** The input that the drawing is sent as; empty where the endpoint takes no picture. */
  drawing: string;
  size: [number, number];
  /** How manieth start picture there is; 0 for none. */
  start: number;
  /** Inputs of a page that no frame has answered yet, at most. */
  ahead: number;
  line: LineState;
  why: string;
  is_paused: boolean;
  /** When it disconnects, Unix seconds at the kernel; null where it is in use. */
  idle_until: number | null;
  idle_s: number;
  frames: number;
  most_in_flight: number;
  session_record: number | null;
  pins: Pin[];
}

// --- view → Python ---

/** One input; a JPEG of the drawing beside it where that has changed. */
export interface CanvasInput {
  kind: "input";
  page: string;
  input: number;
  edit?: number;
  /** JSON of what is filled in, where that has changed. */
  values?: string;
}

export type CanvasEvent =
  | FormEvent
  | CanvasInput
  | { kind: "seen" | "pin"; frame: number }
  | { kind: "picture"; start: number }
  | { kind: "pause" | "go" | "stop" | "pinned" }
  | { kind: "rate"; record: number; rating: number | null }
  | { kind: "start"; record: number };

// --- Python → view ---

/** One frame, its picture in the one buffer. */
export interface CanvasFrame {
  kind: "frame";
  frame: number;
  /** The page and its input that it answers. */
  page: string;
  input: number;
  content_type: string;
  /** Between kernel and endpoint. */
  wire_ms: number;
  in_flight: number;
}

export type CanvasMessage =
  | FormMessage
  | CanvasFrame
  | { kind: "start"; start: number }
  | { kind: "pinned"; record: number };
