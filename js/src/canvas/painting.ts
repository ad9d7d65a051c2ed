/**
 * What was drawn: a list of steps over a bitmap, so that they can be undone.
 *
 * It outlives the mount that shows it, since the front end puts an output anew whenever its twin is brought up to date.
 */

import { type Signal, signal } from "@preact/signals";
import { floodFill, readColour } from "./flood_fill";

export const MOST_UNDO = 60;
const WHITE = "#ffffff";
const QUALITY = 0.85;

export type Point = readonly [number, number];

type Step =
  | { kind: "stroke"; colour: string; size: number; points: Point[] }
  | { kind: "fill"; colour: string; at: Point }
  | { kind: "clear" }
  | { kind: "picture"; picture: CanvasImageSource; width: number; height: number };

type MakeCanvas = (width: number, height: number) => HTMLCanvasElement;

export class Painting {
  /** Grows with every change of what is seen. */
  readonly version: Signal<number> = signal(0);
  readonly steps: Signal<{ undo: number; redo: number }> = signal({ undo: 0, redo: 0 });
  canvas: HTMLCanvasElement;
  /** Start picture of the kernel that is drawn on. */
  start = 0;
  #base: HTMLCanvasElement;
  readonly #make: MakeCanvas;
  #done: Step[] = [];
  #undone: Step[] = [];
  #stroke?: Extract<Step, { kind: "stroke" }>;

  constructor(width: number, height: number, make: MakeCanvas = newCanvas) {
    this.#make = make;
    this.canvas = make(width, height);
    this.#base = make(width, height);
    this.#white(this.canvas);
    this.#white(this.#base);
  }

  get width(): number {
    return this.canvas.width;
  }

  get height(): number {
    return this.canvas.height;
  }

  /** Begins anew on a picture, or on white, in another size. */
  reset(width: number, height: number, picture?: CanvasImageSource): void {
    this.canvas = this.#make(width, height);
    this.#base = this.#make(width, height);
    for (const each of [this.canvas, this.#base]) {
      this.#white(each);
      if (picture) context(each)?.drawImage(picture, 0, 0, width, height);
    }
    this.#done = [];
    this.#undone = [];
    this.#stroke = undefined;
    this.#changed();
  }

  begin(colour: string, size: number, at: Point): void {
    this.#stroke = { kind: "stroke", colour, size, points: [at] };
    this.#push(this.#stroke);
  }

  /** Goes on with the stroke that was begun; only its newest piece is painted. */
  move(...points: Point[]): void {
    const stroke = this.#stroke;
    if (!stroke || points.length === 0) return;
    const last = stroke.points.slice(-1);
    stroke.points.push(...points);
    paintStroke(context(this.canvas), stroke, [...last, ...points]);
    this.#changed();
  }

  end(): void {
    this.#stroke = undefined;
  }

  fill(colour: string, at: Point): void {
    this.#push({ kind: "fill", colour, at });
  }

  clear(): void {
    this.#push({ kind: "clear" });
  }

  /** Puts a picture over everything, whole and in the middle. */
  put(picture: CanvasImageSource, width: number, height: number): void {
    this.#push({ kind: "picture", picture, width, height });
  }

  undo(): void {
    const step = this.#done.pop();
    if (!step) return;
    this.#stroke = undefined;
    this.#undone.push(step);
    context(this.canvas)?.drawImage(this.#base, 0, 0);
    for (const each of this.#done) this.#paint(this.canvas, each);
    this.#changed();
  }

  redo(): void {
    const step = this.#undone.pop();
    if (!step) return;
    this.#done.push(step);
    this.#paint(this.canvas, step);
    this.#changed();
  }

  /** The drawing as a JPEG. Not by `toBlob`: Chromium begins that only once the page is idle, which it is not. */
  async jpeg(): Promise<ArrayBuffer | undefined> {
    const [, data] = this.canvas.toDataURL("image/jpeg", QUALITY).split(",");
    return data === undefined ? undefined : Uint8Array.from(atob(data), (each) => each.charCodeAt(0)).buffer;
  }

  #push(step: Step): void {
    this.#done.push(step);
    this.#undone = [];
    // What is too long ago to be undone is part of the ground.
    for (const old of this.#done.splice(0, this.#done.length - MOST_UNDO)) this.#paint(this.#base, old);
    this.#paint(this.canvas, step);
    this.#changed();
  }

  #paint(canvas: HTMLCanvasElement, step: Step): void {
    const ctx = context(canvas);
    if (!ctx) return;
    if (step.kind === "stroke") paintStroke(ctx, step, step.points);
    else if (step.kind === "clear") this.#white(canvas);
    else if (step.kind === "fill") {
      const all = ctx.getImageData(0, 0, canvas.width, canvas.height);
      floodFill(all.data, canvas.width, canvas.height, ...floored(step.at), readColour(step.colour));
      ctx.putImageData(all, 0, 0);
    } else {
      const share = Math.min(canvas.width / step.width, canvas.height / step.height);
      const [width, height] = [step.width * share, step.height * share];
      this.#white(canvas);
      const [x, y] = [(canvas.width - width) / 2, (canvas.height - height) / 2];
      ctx.drawImage(step.picture, x, y, width, height);
    }
  }

  #white(canvas: HTMLCanvasElement): void {
    const ctx = context(canvas);
    if (!ctx) return;
    ctx.fillStyle = WHITE;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
  }

  #changed(): void {
    this.steps.value = { undo: this.#done.length, redo: this.#undone.length };
    this.version.value += 1;
  }
}

function paintStroke(
  ctx: CanvasRenderingContext2D | null,
  { colour, size }: { colour: string; size: number },
  points: readonly Point[],
): void {
  const [first, ...rest] = points;
  if (!ctx || !first) return;
  ctx.strokeStyle = colour;
  ctx.lineWidth = size;
  ctx.lineCap = "round";
  ctx.lineJoin = "round";
  ctx.beginPath();
  ctx.moveTo(...first);
  // A stroke of one point is a dot.
  for (const point of rest.length > 0 ? rest : [first]) ctx.lineTo(...point);
  ctx.stroke();
}

function floored([x, y]: Point): [number, number] {
  return [Math.floor(x), Math.floor(y)];
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  return canvas.getContext("2d", { willReadFrequently: true });
}

function newCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
