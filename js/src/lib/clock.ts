/** One timer for every ticking number in the page; it rests when nothing ticks. */

const TICK_MS = 250;

const ticking = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Calls back four times a second while the page is seen; returns how to stop. */
export function everyTick(callback: () => void): () => void {
  ticking.add(callback);
  timer ??= setInterval(() => {
    if (document.hidden) return;
    for (const tick of ticking) tick();
  }, TICK_MS);
  return () => {
    ticking.delete(callback);
    if (ticking.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
