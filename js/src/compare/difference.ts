/** The difference of two pictures, drawn by the browser, and its mean. */

const SAMPLE = 128;

/** Draws |a − b| at the size of the first; returns the mean difference, 0 to 1. */
export async function drawDifference(canvas: HTMLCanvasElement, a: string, b: string): Promise<number> {
  const [first, second] = await Promise.all([load(a), load(b)]);
  canvas.width = first.naturalWidth;
  canvas.height = first.naturalHeight;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.drawImage(first, 0, 0);
  pen.globalCompositeOperation = "difference";
  pen.drawImage(second, 0, 0, canvas.width, canvas.height);
  pen.globalCompositeOperation = "source-over";
  return meanOf(canvas);
}

async function load(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function meanOf(canvas: HTMLCanvasElement): number {
  const small = document.createElement("canvas");
  small.width = Math.min(SAMPLE, canvas.width);
  small.height = Math.min(SAMPLE, canvas.height);
  const pen = small.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("no canvas");
  pen.drawImage(canvas, 0, 0, small.width, small.height);
  return meanColour(pen.getImageData(0, 0, small.width, small.height).data);
}

/** The mean of red, green and blue of all pixels, 0 to 1. */
export function meanColour(pixels: Uint8ClampedArray): number {
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    sum += (pixels[at] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0);
  }
  return pixels.length === 0 ? 0 : sum / ((pixels.length / 4) * 3 * 255);
}
