/** What a monitor's state holds and what it sends. The same as in `fal_nb/views/monitor.py`. */

import type { JobState } from "./messages";

/** One call; times are Unix seconds. */
export interface MonitorRow {
  record_id: number;
  endpoint: string;
  backend: string;
  state: JobState;
  whose: "here" | "elsewhere" | "nobody";
  since: number;
  started?: number | null;
  ended?: number | null;
  /** Requests ahead, 0-based. */
  queue_position?: number | null;
  progress?: number | null;
  steps?: [number, number] | null;
  expected_s?: number | null;
  estimate?: number | null;
  cost?: number | null;
  currency?: string | null;
  cancel?: string | null;
  can_cancel: boolean;
  /** When something last moved, and in how many seconds 95 of 100 such calls are over. */
  stalled?: [number, number | null] | null;
}

export interface MonitorSpending {
  scope: string;
  spent: number;
  reserved: number;
  budget?: number | null;
  left?: number | null;
  stopped_by?: number | null;
}

/** The rows stand under `r0`, `r1` … up to `count`, so that a tick brings only those that moved. */
export interface MonitorState {
  view: string;
  count: number;
  counts: Partial<Record<JobState, number>>;
  more: number;
  left_alone: number;
  spending: MonitorSpending[];
  paused_until?: number | null;
  held_back: number;
  trouble?: string | null;
  [row: `r${number}`]: MonitorRow;
}

export interface MonitorEvent {
  kind: "cancel" | "keep-waiting";
  record_id: number;
}
