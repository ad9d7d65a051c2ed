/** Fills the area around a point that has about the same colour. */

/** Of the three parts together; the soft edge of a stroke is filled up to its middle. */
const TOLERANCE = 150;

export type Colour = readonly [number, number, number];

/** Changes RGBA pixels in place; rows of runs, so that its time is that of the pixels it fills. */
export function floodFill(
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  x: number,
  y: number,
  [red, green, blue]: Colour,
): void {
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  const at = (y * width + x) * 4;
  const from = [pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0] as const;
  if (from[0] === red && from[1] === green && from[2] === blue) return;
  const done = new Uint8Array(width * height);
  const isSame = (place: number) =>
    done[place] === 0 &&
    Math.abs((pixels[place * 4] ?? 0) - from[0]) +
      Math.abs((pixels[place * 4 + 1] ?? 0) - from[1]) +
      Math.abs((pixels[place * 4 + 2] ?? 0) - from[2]) <=
      TOLERANCE;
  const waiting = [y * width + x];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const row = Math.floor(place / width) * width;
    let left = place;
    let right = place;
    if (!isSame(place)) continue;
    while (left > row && isSame(left - 1)) left -= 1;
    while (right < row + width - 1 && isSame(right + 1)) right += 1;
    for (let one = left; one <= right; one += 1) {
      done[one] = 1;
      pixels.set([red, green, blue, 255], one * 4);
    }
    for (const beside of [-width, width]) {
      if (row + beside < 0 || row + beside >= width * height) continue;
      for (let one = left; one <= right; one += 1) {
        // One start for each run of the row beside it.
        if (isSame(one + beside) && (one === left || !isSame(one + beside - 1))) waiting.push(one + beside);
      }
    }
  }
}

/** `#rrggbb` as its parts; black where it is none. */
export function readColour(text: string): Colour {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  const part = (index: number) => Number.parseInt(found?.[index] ?? "0", 16);
  return [part(1), part(2), part(3)];
}
