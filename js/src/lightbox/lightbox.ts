/**
 * The lightbox of every view: PhotoSwipe over what a view's store of bytes holds, with the call's arguments beside it.
 *
 * Keys: arrows, Esc, + and - and 0 (zoom), i (arguments), 1 to 5 (rating, where the view has ratings), o (into a solid,
 * where the arrows turn it; o again leaves it).
 */

import { effect } from "@preact/signals";
import PhotoSwipe, { type PhotoSwipeOptions } from "photoswipe";
import swipeCss from "photoswipe/photoswipe.css?inline";
import { GLB } from "../lib/media";
import type { Output } from "../lib/messages";
import { showSolid } from "../lib/solid";
import { addStyle } from "../lib/style";
import themeCss from "../lib/theme.css?inline";
import lightboxCss from "./lightbox.css?inline";
import { addPanel, isOpen } from "./panel";
import type { Slides } from "./slides";

/** Closes what was opened when the view it belongs to is gone for good. */
export interface Owner {
  opened(close: () => void): () => void;
}

type ZoomLevel = NonNullable<PhotoSwipe["currSlide"]>["zoomLevels"];

const ZOOM_STEP = 1.5;
/** Room for the panel with the arguments, in windows that are not narrow. */
const PANEL = 396;
const NARROW = 800;
const SIDE_IF_UNKNOWN = 1024;
const SOLID_WORDS = "drag turns it, the wheel comes nearer; o, then arrows turn it by keys, + − 0 zoom";

/** Opens the lightbox above the page. */
export function openLightbox(slides: Slides, start: number, owner?: Owner): PhotoSwipe {
  const options: PhotoSwipeOptions = {
    index: start,
    bgOpacity: 0.94,
    showHideAnimationType: "fade",
    showAnimationDuration: 120,
    hideAnimationDuration: 100,
    loop: false,
    wheelToZoom: true,
    zoom: false,
    preload: [1, 1],
    closeTitle: "Close (Esc)",
    arrowPrevTitle: "Previous",
    arrowNextTitle: "Next",
    paddingFn: ({ x }) => ({ top: 52, bottom: 76, left: 16, right: isOpen.value && x > NARROW ? PANEL : 16 }),
    initialZoomLevel: whole,
    secondaryZoomLevel: (zoom) => Math.max(1, whole(zoom) * 2.5),
    maxZoomLevel: 12,
    dataSource: Array.from({ length: slides.count }, (_, at) => dataOf(slides, at)),
  };
  const swipe = new PhotoSwipe(options);
  const stops = new Map<number, () => void>();
  swipe.on("contentLoad", (event) => {
    const { content } = event;
    event.preventDefault();
    stops.get(content.index)?.();
    const filled = fill(slides, content.index);
    content.element = filled.element as HTMLDivElement;
    stops.set(content.index, filled.stop);
    content.onLoaded();
  });
  // PhotoSwipe would put the `src` of its data on the element, which has none: what is here already would be gone.
  swipe.on("contentLoadImage", (event) => event.preventDefault());
  swipe.on("contentDestroy", ({ content }) => {
    stops.get(content.index)?.();
    stops.delete(content.index);
  });
  swipe.on("uiRegister", () => addPanel(swipe, slides));
  swipe.on("keydown", ({ originalEvent }) => onKey(swipe, slides, originalEvent));
  const forget = owner?.opened(() => swipe.close());
  swipe.on("destroy", () => {
    forget?.();
    for (const stop of stops.values()) stop();
    stops.clear();
  });
  swipe.init();
  const { element } = swipe;
  if (element) {
    element.classList.add("fal-nb-lightbox");
    element.setAttribute("aria-label", "outputs");
    // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
    element.dataset.lmSuppressShortcuts = "true";
    addStyle(element, "photoswipe", swipeCss);
    addStyle(element, "theme", themeCss);
    addStyle(element, "lightbox", lightboxCss);
    element.focus();
  }
  return swipe;
}

/** The zoom that shows all of a picture; small ones are shown larger than they are, up to three times. */
function whole({ panAreaSize, elementSize }: Pick<ZoomLevel, "panAreaSize" | "elementSize">): number {
  if (!panAreaSize || !elementSize?.x || !elementSize.y) return 1;
  return Math.min(panAreaSize.x / elementSize.x, panAreaSize.y / elementSize.y, 3);
}

function dataOf(slides: Slides, at: number) {
  const { output, title } = slides.slide(at);
  const isPicture = output?.kind === "image";
  return {
    type: isPicture ? "image" : "fal-nb",
    w: output?.width || SIDE_IF_UNKNOWN,
    h: output?.height || SIDE_IF_UNKNOWN,
    width: output?.width || SIDE_IF_UNKNOWN,
    height: output?.height || SIDE_IF_UNKNOWN,
    alt: title,
  };
}

interface Filled {
  element: HTMLElement;
  stop: () => void;
}

/** Makes the element of a slide and keeps it filled with the best there is: thumbnail, then original. */
function fill(slides: Slides, at: number): Filled {
  const { output, title, text } = slides.slide(at);
  if (output?.kind === "image") return fillPicture(slides, at, title);
  if (output?.kind === "video" || output?.kind === "audio") return fillPlayer(slides, at, output.kind, title);
  if (output?.content_type === GLB) return fillSolid(slides, at, output, title);
  const element = document.createElement("div");
  element.className = "fal-nb-lwords";
  const stop = effect(() => {
    const words = slides.words(at).value;
    element.textContent = words?.text || [text, words?.reason].filter(Boolean).at(-1) || "nothing to show";
  });
  return { element, stop };
}

function fillPicture(slides: Slides, at: number, title: string): Filled {
  const element = document.createElement("img");
  element.className = "pswp__img fal-nb-limage";
  element.decoding = "sync";
  element.draggable = false;
  const stop = effect(() => {
    const { output } = slides.slide(at);
    const small = slides.thumbnail(at).value;
    const original = output && slides.media.get(output, "original").value;
    const url = original?.url ?? small;
    if (output) queueMicrotask(() => slides.media.request(output, "original"));
    if (url && element.src !== url) {
      element.src = url;
      // Not before: without a picture Chromium draws the words with the mark of a broken one.
      element.alt = title;
    }
    element.dataset.state = original?.url ? "original" : original?.status === "failed" ? "failed" : "loading";
  });
  return { element, stop };
}

function fillPlayer(slides: Slides, at: number, kind: "video" | "audio", title: string): Filled {
  const element = document.createElement("div");
  element.className = "fal-nb-lplayer";
  const player = document.createElement(kind);
  player.controls = true;
  player.loop = kind === "video";
  player.setAttribute("aria-label", title);
  element.append(player);
  const poster = document.createElement("img");
  poster.alt = "";
  if (kind === "audio") element.prepend(poster);
  const stop = effect(() => {
    const { output } = slides.slide(at);
    const small = slides.thumbnail(at).value;
    if (output) queueMicrotask(() => slides.media.request(output, "original"));
    const url = output && slides.media.get(output, "original").value.url;
    if (small && player instanceof HTMLVideoElement) player.poster = small;
    else if (small) poster.src = small;
    if (url && player.src !== url) player.src = url;
  });
  return {
    element,
    stop: () => {
      player.pause?.();
      stop();
    },
  };
}

function fillSolid(slides: Slides, at: number, output: Output, title: string): Filled {
  const element = document.createElement("div");
  element.className = "fal-nb-lsolid";
  const poster = document.createElement("img");
  poster.alt = title;
  const host = document.createElement("div");
  host.className = "fal-nb-lstage";
  const words = document.createElement("span");
  words.setAttribute("role", "status");
  element.append(poster, host, words);
  const say = (said: string, isProblem: boolean) => {
    words.textContent = said || SOLID_WORDS;
    poster.hidden = said === "";
    element.dataset.problem = String(isProblem);
  };
  const stopPoster = effect(() => {
    const small = slides.thumbnail(at).value;
    if (small) poster.src = small;
  });
  const stopSolid = showSolid(host, slides.media, output, title, { say });
  return {
    element,
    stop: () => {
      stopPoster();
      stopSolid();
    },
  };
}

/** Puts the focus into the solid that is seen, or back. */
function enterSolid(swipe: PhotoSwipe): boolean {
  const solid = swipe.currSlide?.content.element?.querySelector<HTMLElement>(".fal-nb-lstage > *");
  if (!solid) return false;
  if (solid.matches(":focus-within, :focus")) swipe.element?.focus();
  else solid.focus();
  return true;
}

function onKey(swipe: PhotoSwipe, slides: Slides, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { currSlide } = swipe;
  const zoom = (level: number) => currSlide?.isZoomable() && currSlide.zoomTo(level, undefined, 120);
  const level = currSlide?.currZoomLevel ?? 1;
  const initial = currSlide?.zoomLevels.initial ?? 1;
  if (event.key === "+" || event.key === "=")
    zoom(Math.min(level * ZOOM_STEP, currSlide?.zoomLevels.max ?? level));
  else if (event.key === "-") zoom(Math.max(level / ZOOM_STEP, initial));
  else if (event.key === "0") zoom(initial);
  else if (event.key === "o" && enterSolid(swipe)) {
    // The focus has gone in or out.
  } else if (event.key === "i") swipe.dispatch("falNbPanel" as never);
  else if (/^[1-5]$/.test(event.key) && slides.rate) slides.rate(swipe.currIndex, Number(event.key));
  else return;
  event.preventDefault();
  event.stopPropagation();
}
