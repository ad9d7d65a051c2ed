/** What is in sight, by one IntersectionObserver a margin for the whole page. */

type Callback = (visible: boolean) => void;

interface Watch {
  observer: IntersectionObserver;
  callbacks: Map<Element, Callback>;
}

const watches = new Map<number, Watch>();

/** Tells when an element comes within `margin` pixels of sight and when it leaves; returns how to stop. */
export function watchVisible(element: Element, margin: number, callback: Callback): () => void {
  if (typeof IntersectionObserver === "undefined") {
    callback(true);
    return () => {};
  }
  const { observer, callbacks } = watchFor(margin);
  callbacks.set(element, callback);
  observer.observe(element);
  return () => {
    callbacks.delete(element);
    observer.unobserve(element);
  };
}

function watchFor(margin: number): Watch {
  let watch = watches.get(margin);
  if (!watch) {
    const callbacks = new Map<Element, Callback>();
    const observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) callbacks.get(entry.target)?.(entry.isIntersecting);
      },
      { rootMargin: `${margin}px` },
    );
    watch = { observer, callbacks };
    watches.set(margin, watch);
  }
  return watch;
}
