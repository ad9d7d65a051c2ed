/** Calls against two numbers: a gallery's model, and where each call lies. */

import { type Signal, signal } from "@preact/signals";
import type { Shelf } from "../board/shelf";
import { openCompare } from "../compare/compare";
import { GalleryModel, type LiveGallery, MOST_COMPARED } from "../gallery/gallery_model";
import { gallerySlides } from "../gallery/slides";
import type { GalleryEvent, GalleryMessage } from "../lib/gallery_messages";
import type { Buffers } from "../lib/messages";
import type { Live } from "../lib/model";
import { numbersOf } from "../lib/numbers";
import type { ParetoAxis, ParetoMessage, ParetoState, PointsMessage } from "../lib/pareto_messages";
import { openLightbox } from "../lightbox/lightbox";

export type LivePareto = Live<ParetoState, GalleryEvent>;

const NOWHERE = 0xffffffff;

/** The points by x, as the kernel sends them. */
export interface Points {
  x: Float64Array;
  y: Float64Array;
  places: Uint32Array;
  records: Uint32Array;
  isBest: Uint8Array;
  /** Those on the front, by x. */
  front: readonly number[];
}

export class ParetoModel {
  readonly live: LivePareto;
  readonly gallery: GalleryModel;
  readonly points = signal<Points | undefined>(undefined);
  /** The point that the keys act on; -1 before there is one. */
  readonly active: Signal<number>;
  /** Whether a key has moved on: the point it led to takes the focus, also from one that is drawn no more. */
  isStepping = false;
  /** The point that is looked at: under the pointer, else the one with the focus. */
  readonly hovered = signal(-1);

  constructor(live: LivePareto, shelf: Shelf) {
    this.live = live;
    // A gallery reads of the state what is in this one, too.
    this.gallery = new GalleryModel(live as unknown as LiveGallery, shelf);
    this.active = signal((live.kept("pareto:active") as number | undefined) ?? -1);
    this.active.subscribe((at) => {
      if (at >= 0) live.keep("pareto:active", at);
    });
  }

  begin(): void {
    this.gallery.begin();
  }

  receive(message: ParetoMessage, buffers: Buffers): void {
    if (message?.kind === "points") this.#take(message, buffers);
    else this.gallery.receive(message as GalleryMessage, buffers);
  }

  /** Its place among the outputs; -1 where it has none. */
  place(at: number): number {
    const place = this.points.value?.places[at] ?? NOWHERE;
    return place === NOWHERE ? -1 : place;
  }

  /** Opens a point; the arrows then lead along the front, or along all points from one behind it. */
  open(at: number): void {
    const points = this.points.peek();
    if (!points || this.place(at) < 0) {
      this.gallery.say("it has no output that is kept");
      return;
    }
    const all = points.isBest[at] ? points.front : Array.from(points.places.keys());
    const shown = all.filter((each) => this.place(each) >= 0);
    const places = shown.map((each) => this.place(each));
    openLightbox(gallerySlides(this.gallery, places), shown.indexOf(at), this.gallery.shelf);
  }

  toggle(at: number): void {
    const place = this.place(at);
    if (place >= 0) this.gallery.toggle(place);
  }

  compare(): void {
    const places = [...this.gallery.selected.peek()];
    if (places.length < 2 || places.length > MOST_COMPARED) {
      this.gallery.say(`select 2 to ${MOST_COMPARED} points to compare (Space)`);
      return;
    }
    for (const place of places) this.gallery.want(place);
    openCompare(gallerySlides(this.gallery, places), this.gallery.shelf);
  }

  #take({ count }: PointsMessage, buffers: Buffers): void {
    const [buffer] = buffers;
    const x = numbersOf(buffer, 0, Float64Array, count);
    const y = numbersOf(buffer, 8 * count, Float64Array, count);
    const places = numbersOf(buffer, 16 * count, Uint32Array, count);
    const records = numbersOf(buffer, 20 * count, Uint32Array, count);
    const isBest = numbersOf(buffer, 24 * count, Uint8Array, count);
    const front = [...isBest.keys()].filter((at) => isBest[at]);
    this.points.value = { x, y, places, records, isBest, front };
    if (this.active.peek() >= count || this.active.peek() < 0) this.active.value = front[0] ?? 0;
  }
}

/** Where a number lies on an axis, 0 at its low end. */
export function along({ low, high, is_log }: ParetoAxis, value: number): number {
  if (is_log) return Math.log(value / low) / Math.log(high / low);
  return (value - low) / (high - low);
}
