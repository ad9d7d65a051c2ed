/** What differs between the arguments of several calls: nested keys as paths, prompts word by word. */

export type Arguments = Readonly<Record<string, unknown>>;

export interface Difference {
  /** `image_size.width`, `loras[0].scale` */
  path: string;
  /** One a call; undefined where the call does not have it. */
  values: readonly unknown[];
}

const MOST_DEEP = 8;
const MOST_WORDS = 600;

/** The leaves that are not the same everywhere, in the order in which they first occur. */
export function differences(calls: readonly Arguments[]): readonly Difference[] {
  const flat = calls.map((call) => flatten(call));
  const paths = [...new Set(flat.flatMap((leaves) => [...leaves.keys()]))];
  return paths
    .map((path) => ({ path, values: flat.map((leaves) => leaves.get(path)) }))
    .filter(({ values }) => values.some((value) => JSON.stringify(value) !== JSON.stringify(values[0])));
}

export function flatten(value: unknown): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  walk(value, "", 0, leaves);
  return leaves;
}

function walk(value: unknown, path: string, depth: number, leaves: Map<string, unknown>): void {
  const inside = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (inside.length === 0 || depth > MOST_DEEP) {
    leaves.set(path, value);
    return;
  }
  for (const [key, inner] of inside) {
    const step = Array.isArray(value) ? `[${key}]` : path ? `.${key}` : key;
    walk(inner, path + step, depth + 1, leaves);
  }
}

export interface Piece {
  text: string;
  is: "same" | "gone" | "new";
}

/** What leads from one text to the other, word by word, with the spaces kept. */
export function wordDiff(before: string, after: string): readonly Piece[] {
  const a = before.match(/\s+|[,.;:!?()]|[^\s,.;:!?()]+/g) ?? [];
  const b = after.match(/\s+|[,.;:!?()]|[^\s,.;:!?()]+/g) ?? [];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) {
    return before === after ? [{ text: after, is: "same" }] : [piece(before, "gone"), piece(after, "new")];
  }
  const common = commonLengths(a, b);
  const pieces: Piece[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      add(pieces, left, "same");
      i += 1;
      j += 1;
    } else if (right === undefined || (left !== undefined && at(common, i + 1, j) >= at(common, i, j + 1))) {
      add(pieces, left ?? "", "gone");
      i += 1;
    } else {
      add(pieces, right, "new");
      j += 1;
    }
  }
  return pieces;
}

/** Lengths of the longest common subsequences of what is left, by places in both. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint16Array[] {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = rows[i] as Uint16Array;
      row[j] = a[i] === b[j] ? at(rows, i + 1, j + 1) + 1 : Math.max(at(rows, i + 1, j), at(rows, i, j + 1));
    }
  }
  return rows;
}

function at(rows: readonly Uint16Array[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}

function add(pieces: Piece[], text: string, is: Piece["is"]): void {
  const last = pieces.at(-1);
  if (last?.is === is) last.text += text;
  else pieces.push(piece(text, is));
}

function piece(text: string, is: Piece["is"]): Piece {
  return { text, is };
}

/** A value as a person reads it: text as it is, anything else as JSON, a dash where there is none. */
export function valueWords(value: unknown): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
