/** Every message between a form in the page and the kernel, and what its state holds. The same list as in Python. */

// biome-ignore lint/suspicious/noExplicitAny: a person's JSON, whose shape is the endpoint's
export type Json = any;
export type Values = Record<string, Json>;
export type Path = readonly (string | number)[];

export type FieldKind =
  | "text"
  | "long text"
  | "number"
  | "slider"
  | "flag"
  | "choice"
  | "seed"
  | "size"
  | "file"
  | "list"
  | "group"
  | "union"
  | "nothing"
  | "json";

/** One field; what says nothing is left out. Labels and words are shown, names, choices and defaults are exact. */
export interface Field {
  name: string;
  kind: FieldKind;
  label?: string;
  type?: string;
  limits?: string;
  description?: string;
  required?: boolean;
  advanced?: boolean;
  /** Null is a value of its own. */
  nullable?: boolean;
  integer?: boolean;
  low?: number;
  high?: number;
  step?: number;
  max_length?: number;
  file?: "image" | "video" | "audio" | "archive" | "weights" | "mesh" | "file";
  choices?: Json[];
  choice_labels?: string[];
  item?: Field;
  min_items?: number;
  max_items?: number;
  fields?: Field[];
  options?: Field[];
  default?: Json;
  default_words?: string;
}

export interface Problem {
  path: (string | number)[];
  message: string;
}

/** Beside these keys, `card:<id>` holds the state of each card. */
export interface FormState {
  view: string;
  endpoint: string;
  category: string;
  backend: string;
  /** JSON of `Field[]`. */
  fields: string;
  /** Inputs that are too many to be shown. */
  left_out: number;
  /** JSON of what is filled in. */
  values: string;
  /** Which page filled them in, and its how manieth edit that was; no page where the notebook did. */
  edit: [string, number];
  /** The edit that problems, cell and price are about. */
  looked: [string, number] | null;
  problems: Problem[];
  /** JSON of the cell's source. */
  cell: string;
  price: string;
  error: string;
  is_starting: boolean;
  cards: string[];
  [card: `card:${string}`]: Record<string, unknown>;
}

// --- view → Python ---

export type FormEvent =
  | { kind: "edit" | "run"; page: string; edit: number; values: string }
  | { kind: "file"; upload: string; name: string; size: number; part: number; data: string }
  | { kind: "preview"; value: string }
  | { kind: "card"; card: string; content: unknown };

// --- Python → view ---

export type FormMessage =
  | { kind: "file-part"; upload: string; received: number }
  | { kind: "file-stored"; upload: string; value: string }
  | { kind: "file-error"; upload: string; error: string }
  | { kind: "preview"; value: string; found: boolean }
  | { kind: "card"; card: string; content: unknown };
