/** What a plot of calls against two numbers is sent beside what a gallery is. The same list as in Python. */

import type { GalleryMessage, GalleryState } from "./gallery_messages";

export interface ParetoAxis {
  name: string;
  title: string;
  kind: "money" | "seconds" | "number";
  better: "low" | "high";
  low: number;
  high: number;
  is_log: boolean;
  /** `[number, words]` of each mark. */
  ticks: [number, string][];
}

export interface ParetoState extends GalleryState {
  best: number;
  x: ParetoAxis;
  y: ParetoAxis;
  /** The corners of the front's line, 0 to 1 along each axis. */
  steps: [number, number][];
  told: string[];
}

/** Its buffer: `count` times x and y (float64), place and record (uint32), whether it is on the front (uint8). */
export interface PointsMessage {
  kind: "points";
  count: number;
}

export type ParetoMessage = PointsMessage | GalleryMessage;
