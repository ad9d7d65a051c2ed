/** A canvas in the page over a fake model, and drawing areas that keep what is painted on them. */

import { act } from "preact/test-utils";
import canvasModule from "../src/canvas";
import type { Field, Json } from "../src/lib/form_messages";
import { FakeModel } from "./fake_model";
import { formState } from "./form_fixture";

const PROMPT: Field = { name: "prompt", kind: "long text", label: "Prompt", required: true };
const STRENGTH: Field = {
  name: "strength",
  kind: "slider",
  label: "Strength",
  low: 0,
  high: 1,
  step: 0.01,
  default: 0.8,
  default_words: "0.8",
};

export function canvasState(patch: Json = {}): Record<string, unknown> {
  return {
    ...formState([PROMPT, STRENGTH], { prompt: "a fox" }),
    endpoint: "fal-ai/lcm-sd15-i2i",
    drawing: "image_url",
    size: [512, 384],
    start: 0,
    ahead: 3,
    line: "closed",
    why: "",
    is_paused: false,
    idle_until: null,
    idle_s: 45,
    frames: 0,
    most_in_flight: 2,
    session_record: null,
    pins: [],
    ...patch,
  };
}

/** What the page's drawing areas can: everything that is painted is a line of text. */
export class FakeContext {
  readonly calls: string[] = [];
  fillStyle = "";
  strokeStyle = "";
  lineWidth = 0;

  fillRect(...all: number[]): void {
    this.calls.push(`rect ${this.fillStyle} ${all.join(" ")}`);
  }

  beginPath(): void {
    this.calls.push(`path ${this.strokeStyle} ${this.lineWidth}`);
  }

  moveTo(x: number, y: number): void {
    this.calls.push(`move ${x} ${y}`);
  }

  lineTo(x: number, y: number): void {
    this.calls.push(`line ${x} ${y}`);
  }

  stroke(): void {
    this.calls.push("stroke");
  }

  drawImage(_picture: unknown, ...all: number[]): void {
    this.calls.push(`image ${all.map((each) => Math.round(each)).join(" ")}`);
  }

  getImageData(_x: number, _y: number, width: number, height: number) {
    return { data: new Uint8ClampedArray(width * height * 4).fill(255), width, height };
  }

  putImageData(): void {
    this.calls.push("pixels");
  }
}

const contexts = new WeakMap<HTMLCanvasElement, FakeContext>();
let jpegs = 0;

export function contextOf(canvas: HTMLCanvasElement): FakeContext {
  let context = contexts.get(canvas);
  if (!context) {
    context = new FakeContext();
    contexts.set(canvas, context);
  }
  return context;
}

/** jsdom has no drawing area; returns how to put back what it has. */
export function fakeDrawing(): () => void {
  const { getContext, toDataURL } = HTMLCanvasElement.prototype;
  jpegs = 0;
  const its = HTMLCanvasElement.prototype as Json;
  its.getContext = function get(this: HTMLCanvasElement) {
    return contextOf(this);
  };
  its.toDataURL = () => {
    jpegs += 1;
    return `data:image/jpeg;base64,${btoa(`jpeg ${jpegs}`)}`;
  };
  return () => Object.assign(its, { getContext, toDataURL });
}

export class Canvas {
  readonly el = document.createElement("div");
  readonly model: FakeModel;
  readonly #cleanUp: () => unknown;

  constructor(patch: Json = {}, model?: FakeModel) {
    document.body.append(this.el);
    this.model = model ?? new FakeModel({ state: canvasState(patch) });
    let cleanUp: () => unknown = () => {};
    act(() => {
      cleanUp = canvasModule.render({ model: this.model, el: this.el });
    });
    this.#cleanUp = cleanUp;
  }

  close(): void {
    act(() => void this.#cleanUp());
    this.el.remove();
  }

  patch(patch: Json): void {
    act(() => this.model.patch(patch));
  }

  find<T extends Element = HTMLElement>(selector: string): T {
    const found = this.el.querySelector<T>(selector);
    if (!found) throw new Error(`no ${selector}`);
    return found;
  }

  button(text: string): HTMLButtonElement {
    const found = [...this.el.querySelectorAll("button")].find((each) => each.textContent?.startsWith(text));
    if (!found) throw new Error(`no button ${text}`);
    return found;
  }

  click(text: string): void {
    act(() => this.button(text).click());
  }

  key(key: string, more: KeyboardEventInit = {}): void {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    act(() => void this.find(".fal-nb-carea").dispatchEvent(event));
  }

  /** A pointer on the drawing, which is as large in the page as it is. */
  pointer(type: "down" | "move" | "up", x: number, y: number): void {
    const canvas = this.find<HTMLCanvasElement>(".fal-nb-carea canvas");
    canvas.getBoundingClientRect = () =>
      ({ left: 0, top: 0, width: canvas.width, height: canvas.height }) as DOMRect;
    const event = new MouseEvent(`pointer${type}`, {
      bubbles: true,
      cancelable: true,
      clientX: x,
      clientY: y,
    });
    act(() => void canvas.dispatchEvent(Object.assign(event, { isPrimary: true, pointerId: 1 })));
  }

  stroke(...points: [number, number][]): void {
    const [first, ...rest] = points;
    if (!first) return;
    this.pointer("down", ...first);
    for (const point of rest) this.pointer("move", ...point);
    this.pointer("up", ...(rest.at(-1) ?? first));
  }

  type(selector: string, value: string): void {
    act(() => {
      const control = this.find<HTMLInputElement>(selector);
      control.value = value;
      control.dispatchEvent(
        new Event(control instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }),
      );
    });
  }

  get inputs(): Json[] {
    return this.model.sentOf("input");
  }

  /** A frame that answers an input of this page, or another page's. */
  async frame(frame: number, input: number, page?: string): Promise<void> {
    const own = this.inputs.at(-1)?.page ?? "";
    const content = {
      kind: "frame",
      frame,
      page: page ?? own,
      input,
      content_type: "image/jpeg",
      wire_ms: 20,
      in_flight: 1,
    };
    await act(async () => this.model.deliver(content, [new ArrayBuffer(4)]));
  }
}
