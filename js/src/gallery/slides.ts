/** Outputs of a gallery as slides, for its lightbox and for comparing. */

import type { ReadonlySignal } from "@preact/signals";
import type { Cell } from "../board/cells";
import { money, seconds } from "../lib/format";
import type { Slide, Slides, Words } from "../lightbox/slides";
import type { GalleryModel } from "./gallery_model";
import type { Item } from "./items";

const UNKNOWN_SIDE = 1024;

/** Slides of some outputs by their places; what a slide needs is asked for when it is looked at. */
export function gallerySlides(
  gallery: GalleryModel,
  places: ArrayLike<number>,
  ratios?: ArrayLike<number>,
): Slides {
  const item = (at: number) => {
    const place = places[at] ?? -1;
    return gallery.item(place);
  };
  const stand = (at: number): Cell => item(at).value ?? { ...NOTHING, place: places[at] ?? -1 };
  return {
    count: places.length,
    media: gallery.shelf.media,
    slide: (at) => {
      const known = item(at).value;
      return known ? slideOf(known) : waiting(ratios?.[at]);
    },
    thumbnail: (at) => {
      gallery.want(places[at] ?? -1);
      const cell = stand(at);
      gallery.shelf.thumbs.want(cell);
      return gallery.shelf.thumbs.get(cell);
    },
    words: (at): ReadonlySignal<Words | undefined> => {
      gallery.want(places[at] ?? -1);
      return gallery.shelf.details(stand(at));
    },
    rate: gallery.isExport ? undefined : (at, rating) => gallery.rate([places[at] ?? -1], rating),
  };
}

const NOTHING: Omit<Cell, "place"> = {
  coordinates: [],
  state: "SUCCEEDED",
  isFromMemo: false,
  scores: [],
  outputs: 1,
  reason: "",
  digest: "",
  text: "",
};

function slideOf(item: Item): Slide {
  return {
    title: item.prompt || item.endpoint,
    facts: factsOf(item),
    output: item.reason ? undefined : item.output,
    text: item.text || item.reason,
    cost: item.cost,
    seconds: item.seconds,
    currency: "USD",
  };
}

/** Holds the shape of what is not here yet, so that nothing jumps when it comes. */
function waiting(ratio = 1): Slide {
  const output = {
    index: -1,
    kind: "image" as const,
    width: Math.round(UNKNOWN_SIDE * ratio),
    height: UNKNOWN_SIDE,
  };
  return { title: "…", facts: [], text: "", output };
}

export function factsOf(item: Item): readonly string[] {
  return [
    `#${item.record}`,
    item.endpoint,
    item.seed === undefined ? "" : `seed ${item.seed}`,
    seconds(item.seconds),
    money(item.cost, "USD"),
    "★".repeat(item.rating ?? 0),
    ...item.tags.map((tag) => `#${tag}`),
  ].filter(Boolean);
}
