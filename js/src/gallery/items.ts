/** Outputs as tiles, lightbox and comparison use them, read from the short rows that the kernel sends. */

import type { Cell } from "../board/cells";
import { isNumber } from "../lib/format";
import type { FilterValue, ItemRow } from "../lib/gallery_messages";

/** One output; a cell of no sweep, so that pictures and words come the same way as a board's. */
export interface Item extends Cell {
  endpoint: string;
  prompt: string;
  seed?: FilterValue;
  tags: readonly string[];
  hasNote: boolean;
  isHidden: boolean;
  created?: number;
}

export function readItem(row: ItemRow): Item | undefined {
  const [place, kind, content_type, digest, width, height, duration_s, size_bytes, text, record] = row;
  if (!kind || !isNumber(place)) return undefined;
  const [endpoint, prompt, seed, cost, total, rating, tags, note, created, error, hidden] = row.slice(11) as [
    string,
    string,
    FilterValue | null,
    ...(number | null)[],
  ] as unknown as [
    string,
    string,
    FilterValue | null,
    number | null,
    number | null,
    number | null,
    string[],
    number,
    number,
    string,
    number,
  ];
  const hasPicture = kind === "image" || kind === "video" || kind === "audio" || kind === "mesh";
  return {
    place,
    coordinates: [],
    state: "SUCCEEDED",
    cost: known(cost),
    seconds: known(total),
    rating: known(rating),
    isFromMemo: false,
    scores: [],
    output: {
      index: place,
      kind,
      content_type: String(content_type ?? ""),
      file_name: String(digest ?? ""),
      width: known(width),
      height: known(height),
      duration_s: known(duration_s),
      size_bytes: known(size_bytes),
      has_thumbnail: hasPicture && !error,
    },
    outputs: 1,
    record: known(record),
    reason: String(error ?? ""),
    digest: String(digest ?? ""),
    text: String(text ?? ""),
    endpoint: String(endpoint ?? ""),
    prompt: String(prompt ?? ""),
    seed: seed ?? undefined,
    tags: Array.isArray(tags) ? tags.map(String) : [],
    hasNote: note === 1,
    isHidden: hidden === 1,
    created: known(created),
  };
}

function known(value: unknown): number | undefined {
  return isNumber(value) ? value : undefined;
}
