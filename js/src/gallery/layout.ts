/** Rows of pictures of one height that fill the width, and which of them are in sight. */

export interface Row {
  /** First and last + 1 in the order. */
  first: number;
  end: number;
  top: number;
  height: number;
}

export interface Layout {
  rows: readonly Row[];
  height: number;
}

/** A last row that is not full keeps the wanted height; a full one may be this much higher, never more. */
const HIGHEST = 1.5;

/** Lays out pictures by width over height, in order, so that each row but the last is as wide as the whole. */
export function justify(ratios: ArrayLike<number>, width: number, wanted: number, gap: number): Layout {
  const rows: Row[] = [];
  let top = 0;
  let first = 0;
  let sum = 0;
  for (let at = 0; at < ratios.length; at += 1) {
    sum += ratios[at] as number;
    const room = width - gap * (at - first);
    const isLast = at === ratios.length - 1;
    if (sum * wanted < room && !isLast) continue;
    const fitting = room / sum;
    const height = Math.floor(
      isLast && fitting > wanted * HIGHEST ? wanted : Math.min(fitting, wanted * HIGHEST),
    );
    rows.push({ first, end: at + 1, top, height });
    top += height + gap;
    first = at + 1;
    sum = 0;
  }
  return { rows, height: Math.max(0, top - gap) };
}

/** The first row that reaches below `y`. */
export function rowAt(rows: readonly Row[], y: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle] as Row;
    if (row.top + row.height < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rows to draw: those in sight, then one on each side while there is room for its pictures. */
export function inSight(
  rows: readonly Row[],
  top: number,
  height: number,
  most: number,
): { first: number; end: number } {
  let first = Math.min(rowAt(rows, top), Math.max(0, rows.length - 1));
  let end = first;
  let count = 0;
  const size = (at: number) => (rows[at] ? (rows[at] as Row).end - (rows[at] as Row).first : 0);
  while (end < rows.length && (rows[end] as Row).top < top + height && count + size(end) <= most) {
    count += size(end);
    end += 1;
  }
  for (let step = 0; step < 2; step += 1) {
    if (end < rows.length && count + size(end) <= most) {
      count += size(end);
      end += 1;
    }
    if (first > 0 && count + size(first - 1) <= most) {
      first -= 1;
      count += size(first);
    }
  }
  return { first, end };
}

/** Left and width of each picture of a row; the last one takes what rounding leaves. */
export function across(
  ratios: ArrayLike<number>,
  row: Row,
  width: number,
  gap: number,
): { left: number; width: number }[] {
  const places: { left: number; width: number }[] = [];
  let left = 0;
  for (let at = row.first; at < row.end; at += 1) {
    const own = Math.min((ratios[at] as number) * row.height, width);
    places.push({ left: Math.round(left), width: Math.round(left + own) - Math.round(left) });
    left += own + gap;
  }
  const last = places.at(-1);
  if (last && Math.abs(last.left + last.width - width) <= 4 + places.length) last.width = width - last.left;
  return places;
}
