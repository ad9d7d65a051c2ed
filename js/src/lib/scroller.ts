/** An area that scrolls by itself: its size known, and its place after it was taken out of the page and put back. */

import type { Signal } from "@preact/signals";

interface Size {
  width: { value: number };
  /** Where the height matters, too. */
  height?: { value: number };
  /** In pixels, where nothing measures: outside a browser. */
  usual: number;
}

/** Follows one and returns how to stop. */
export function followScroller(
  scroller: HTMLElement | null,
  scroll: Signal<number>,
  { width, height, usual }: Size,
): (() => void) | undefined {
  if (!scroller) return undefined;
  scroller.scrollTop = scroll.peek();
  const measure = () => {
    if (scroller.clientWidth > 0) width.value = scroller.clientWidth;
    if (height && scroller.clientHeight > 0) height.value = scroller.clientHeight;
  };
  measure();
  const unfollow = scroll.subscribe((top) => {
    if (Math.abs(scroller.scrollTop - top) > 1) scroller.scrollTop = top;
  });
  if (typeof ResizeObserver === "undefined") {
    if (width.value === 0) width.value = usual;
    return unfollow;
  }
  const observer = new ResizeObserver(measure);
  observer.observe(scroller);
  return () => {
    observer.disconnect();
    unfollow();
  };
}
