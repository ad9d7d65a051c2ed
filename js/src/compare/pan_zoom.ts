/** Zoom and pan that several pictures share: shifts are shares of a pane, so that panes of any size stay linked. */

import { type Signal, signal } from "@preact/signals";

export interface Zoom {
  scale: number;
  /** Shift of the picture's middle, as shares of the pane's width and height. */
  x: number;
  y: number;
}

const LARGEST = 16;
const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };

export class PanZoom {
  readonly zoom: Signal<Zoom> = signal(WHOLE);

  reset(): void {
    this.zoom.value = WHOLE;
  }

  /** Zooms by a factor; `x` and `y` say which point stays, as shares of the pane from its middle. */
  by(factor: number, x = 0, y = 0): void {
    const { scale, x: left, y: top } = this.zoom.value;
    const next = Math.min(LARGEST, Math.max(1, scale * factor));
    const share = next / scale;
    this.#set({ scale: next, x: x - (x - left) * share, y: y - (y - top) * share });
  }

  /** Shifts by shares of the pane. */
  pan(x: number, y: number): void {
    const { scale, x: left, y: top } = this.zoom.value;
    this.#set({ scale, x: left + x, y: top + y });
  }

  /** The style that shows a picture so. */
  static style({ scale, x, y }: Zoom): Record<string, string> {
    return {
      transform: `translate(${(x * 100).toFixed(3)}%, ${(y * 100).toFixed(3)}%) scale(${scale.toFixed(4)})`,
    };
  }

  #set({ scale, x, y }: Zoom): void {
    const most = (scale - 1) / 2;
    const clamp = (value: number) => Math.min(most, Math.max(-most, value)) || 0;
    this.zoom.value = scale === 1 ? WHOLE : { scale, x: clamp(x), y: clamp(y) };
  }
}

/** Hands wheel and drag on an element to a `PanZoom`; returns how to stop. */
export function listen(el: HTMLElement, panZoom: PanZoom): () => void {
  const onWheel = (event: WheelEvent) => {
    event.preventDefault();
    const { left, top, width, height } = el.getBoundingClientRect();
    if (!width || !height) return;
    const x = (event.clientX - left) / width - 0.5;
    const y = (event.clientY - top) / height - 0.5;
    panZoom.by(Math.exp(-event.deltaY / 400), x, y);
  };
  const onMove = (event: PointerEvent) => {
    const { width, height } = el.getBoundingClientRect();
    if (width && height) panZoom.pan(event.movementX / width, event.movementY / height);
  };
  const onUp = () => {
    el.removeEventListener("pointermove", onMove);
    el.removeEventListener("pointerup", onUp);
    el.removeEventListener("pointercancel", onUp);
  };
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target as Element).closest("button, input, video")) return;
    el.setPointerCapture?.(event.pointerId);
    el.addEventListener("pointermove", onMove);
    el.addEventListener("pointerup", onUp);
    el.addEventListener("pointercancel", onUp);
  };
  el.addEventListener("wheel", onWheel, { passive: false });
  el.addEventListener("pointerdown", onDown);
  return () => {
    onUp();
    el.removeEventListener("wheel", onWheel);
    el.removeEventListener("pointerdown", onDown);
  };
}
