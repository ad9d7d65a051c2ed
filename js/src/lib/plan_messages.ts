/** Every message between a plan in the page and the kernel, and what its state holds. The same list as in Python. */

export interface PlanState {
  view: string;
  name: string;
  endpoint: string;
  backend: string;
  /** What would be sent. */
  calls: number;
  /** Calls, price, time: a few words each. */
  figures: string[];
  /** `[label, what there is to say]` */
  lines: [string, string][];
  step: "planned" | "starting" | "started";
  error?: string | null;
  /** What runs it from a cell. */
  command: string;
}

// --- view → Python ---

export interface PlanEvent {
  kind: "run";
}
