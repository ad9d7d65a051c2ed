/** Every message between a gallery in the page and the kernel, and what its state holds. The same list as in Python. */

import type { Details, Thumbnails } from "./board_messages";
import type { MediaError, MediaPart, MediaRequest, ModulePart, ModuleRequest, OutputKind } from "./messages";

export type FilterValue = string | number | boolean;

/** `[name, [[value, how many have it], …]]` */
export type Facet = [string, [FilterValue, number][]];

export interface GalleryState {
  view: string;
  name: string;
  backend: string;
  count: number;
  matching: number;
  selected: number;
  words: string;
  filters: Record<string, FilterValue[]>;
  sort: string;
  sorts: string[];
  is_descending: boolean;
  with_hidden: boolean;
  facets: Facet[];
  /** What is empty and what to do about it, where there is no output at all. */
  empty?: string;
  error: string;
  revision: number;
  /** Whether it stands in a file of its own, where nothing can be called or kept. */
  is_export?: boolean;
  /** What is not in that file; empty where all is. */
  left_out?: string;
}

/**
 * `[place, kind, content type, digest, width, height, duration_s, size_bytes, text, record, position, endpoint, prompt,
 * seed, cost, total_s, rating, tags, has note, created, error, is hidden]`; the place alone where its record is gone.
 */
export type ItemRow = [
  number,
  OutputKind?,
  string?,
  string?,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  string?,
  number?,
  number?,
  string?,
  string?,
  (FilterValue | null)?,
  (number | null)?,
  (number | null)?,
  (number | null)?,
  string[]?,
  number?,
  number?,
  string?,
  number?,
];

// --- view → Python ---

export interface Ask {
  kind: "query";
  words: string;
  filters: Record<string, FilterValue[]>;
  sort: string;
  is_descending: boolean;
  with_hidden: boolean;
}

export type CodeKind = "again" | "vary" | "input" | "elsewhere" | "path";

/** Those that need another endpoint. */
export type OfferKind = "input" | "elsewhere";

export type GalleryEvent =
  | { kind: "order" }
  | Ask
  | { kind: "items" | "thumbnails" | "details"; cells: number[] }
  | { kind: "select"; cells?: number[]; on?: boolean; all?: boolean; none?: boolean }
  | { kind: "rate"; cells: number[]; rating: number | null }
  | { kind: "tag"; cells: number[]; tag: string; on: boolean }
  | { kind: "note"; cells: number[]; text: string }
  | { kind: "code"; cell: number; what: CodeKind; endpoint?: string }
  | { kind: "offers"; cell: number; what: OfferKind }
  | MediaRequest
  | ModuleRequest;

// --- Python → view ---

/** Its buffer: `count` places (uint32), then `count` times width over height (uint16, in thousandths). */
export interface Order {
  kind: "order";
  revision: number;
  count: number;
  part: number;
  parts: number;
}

export interface Items {
  kind: "items";
  items: ItemRow[];
}

/** Its buffer: the places that are selected (uint32). */
export interface Selection {
  kind: "selection";
  count: number;
}

export interface Code {
  kind: "code";
  cell: number;
  what: CodeKind;
  text: string;
  /** What of the call could not be taken over. */
  notes?: string[];
}

/** Endpoints that an output or its arguments can be given to. */
export interface Offers {
  kind: "offers";
  cell: number;
  what: OfferKind;
  endpoints: string[];
}

export type GalleryMessage =
  | Order
  | Items
  | Selection
  | Code
  | Offers
  | Thumbnails
  | Details
  | MediaPart
  | MediaError
  | ModulePart;
