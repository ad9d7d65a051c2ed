/** Hooks for what moves with time and for what only matters in sight. */

import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { everyTick } from "../lib/clock";
import { watchVisible } from "../lib/visible";

/** Calls `tick` four times a second while `isActive` and while the element is in sight. */
export function useTick(ref: RefObject<Element | null>, isActive: boolean, tick: () => void): void {
  useEffect(() => {
    if (!isActive || !ref.current) return;
    let stop: (() => void) | undefined;
    const unwatch = watchVisible(ref.current, 0, (visible) => {
      stop?.();
      stop = undefined;
      if (!visible) return;
      tick();
      stop = everyTick(tick);
    });
    return () => {
      unwatch();
      stop?.();
    };
  });
}

/** True from the moment the element first comes within `margin` pixels of sight. */
export function useSeen(ref: RefObject<Element | null>, margin: number): Signal<boolean> {
  const seen = useSignal(false);
  useEffect(() => {
    if (seen.peek() || !ref.current) return;
    const unwatch = watchVisible(ref.current, margin, (visible) => {
      if (visible) seen.value = true;
    });
    return unwatch;
  }, [ref, margin, seen]);
  return seen;
}
