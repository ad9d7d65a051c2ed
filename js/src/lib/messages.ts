/** Every message between page and kernel, and what a card's state holds. The same list as in Python. */

export type Buffers = readonly (DataView | ArrayBuffer)[];

/** Values of one view, replaced key by key by the patches of a tick. */
export type ViewState = Record<string, unknown>;

// --- hub, page → kernel ---

export interface Hello {
  kind: "hello";
  page: string;
}

export interface Need {
  kind: "need";
  bundle: string;
}

/** `page` tells several pages on one kernel apart; a mount may be said again, it is a claim, not a count. */
export interface MountView {
  kind: "mount";
  view: string;
  page: string;
}

export interface UnmountView {
  kind: "unmount";
  view: string;
  page: string;
}

export interface ViewEvent {
  kind: "event";
  view: string;
  content: unknown;
}

export type ToKernel = Hello | Need | MountView | UnmountView | ViewEvent;

// --- hub, kernel → page ---

export interface Bundle {
  kind: "bundle";
  name: string;
  digest: string;
  part: number;
  parts: number;
  text: string;
}

export interface ViewMessage {
  view: string;
  content: unknown;
  /** Places in the buffers of the tick that carries it. */
  buffers?: number[];
}

/** The one message of a tick. */
export interface Tick {
  kind: "tick";
  /** Unix seconds at the kernel. */
  now: number;
  views?: Record<string, ViewState>;
  messages?: ViewMessage[];
}

export interface Gone {
  kind: "gone";
  view: string;
}

/** One frame of a live picture, beside the ticks; the view says when it has shown it, so that few are on the way. */
export interface FrameMessage {
  kind: "frame";
  view: string;
  content: unknown;
}

export type ToPage = Bundle | Tick | Gone | FrameMessage;

// --- card, view → Python ---

export type MediaSize = "thumbnail" | "original";

export interface CancelEvent {
  kind: "cancel";
}

export interface MediaRequest {
  kind: "media";
  which: MediaSize;
  index: number;
}

/** Asks for code that a view needs only now and then: `three` and `viewer`, which show solids. */
export interface ModuleRequest {
  kind: "module";
  name: string;
}

/** Say for a while no more that the job has stalled. */
export interface KeepWaitingEvent {
  kind: "keep-waiting";
}

export type CopyForm = "magic" | "python" | "javascript" | "curl";

/** Asks for the call as source. */
export interface CopyRequest {
  kind: "copy";
  form: CopyForm;
}

export type CardEvent = CancelEvent | KeepWaitingEvent | CopyRequest | MediaRequest | ModuleRequest;

// --- card, Python → view ---

/** One part of a file, with exactly one buffer. */
export interface MediaPart {
  kind: "media";
  which: MediaSize;
  index: number;
  part: number;
  parts: number;
  content_type: string;
  /** Of the whole file. */
  size_bytes: number;
}

export interface MediaError {
  kind: "media-error";
  which: MediaSize;
  index: number;
  error: string;
}

/** One part of a module's text, with exactly one buffer. */
export interface ModulePart {
  kind: "module";
  name: string;
  digest: string;
  part: number;
  parts: number;
}

/** The call as source, or why it cannot be had. */
export interface Copied {
  kind: "copied";
  form: CopyForm | null;
  text?: string;
  error?: string;
}

export type CardMessage = MediaPart | MediaError | ModulePart | Copied;

export type JobState =
  | "PREPARED"
  | "SUBMITTING"
  | "QUEUED"
  | "RUNNING"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELLED"
  | "UNKNOWN"
  | "SKIPPED";

export type OutputKind = "image" | "video" | "audio" | "mesh" | "text" | "archive" | "file";

export interface Output {
  index: number;
  kind: OutputKind;
  content_type?: string | null;
  file_name?: string | null;
  size_bytes?: number | null;
  width?: number | null;
  height?: number | null;
  duration_s?: number | null;
  has_thumbnail?: boolean | null;
  stored?: boolean | null;
  text?: string | null;
  error?: string | null;
}

/** State of a job card; times are Unix seconds. */
export interface CardState {
  view: string;
  record_id: number;
  endpoint: string;
  backend: string;
  state: JobState;
  kind?: "queue" | "direct" | "stream" | null;
  request_id?: string | null;
  prompt?: string | null;
  /** What stands for the prompt of a call without one, in a person's words. */
  line?: string | null;
  arguments?: Record<string, unknown> | null;
  /** Requests ahead, 0-based. */
  queue_position?: number | null;
  /** 0 to 1. */
  progress?: number | null;
  progress_source?: "steps" | "history" | null;
  /** Seconds of processing that this endpoint's own past calls took. */
  expected_s?: number | null;
  steps?: [number, number] | null;
  /** The last lines; `log_count` says how many there were in all. */
  logs?: string[] | null;
  log_count?: number | null;
  created?: number | null;
  submitted?: number | null;
  started?: number | null;
  ended?: number | null;
  queue_s?: number | null;
  inference_s?: number | null;
  cost?: number | null;
  estimate?: number | null;
  currency?: string | null;
  error?: string | null;
  error_type?: string | null;
  next_step?: string | null;
  /** Of an equal call in the history, in a person's words. */
  equal?: string | null;
  /** When something last moved, and in how many seconds 95 of 100 such calls are over; set once it has stalled. */
  stalled?: [number, number | null] | null;
  cancel?: string | null;
  can_cancel?: boolean | null;
  /** Whether the kernel writes the call as source when asked. */
  can_copy?: boolean | null;
  outputs?: Output[] | null;
  /** Of the result, or as much of a stream's as has come. */
  text?: string | null;
  /** What a stream has shown so far: how many events, its newest picture. */
  partial?: { count: number; picture?: Output | null } | null;
  /** At the kernel when the state was made. */
  now?: number | null;
}
