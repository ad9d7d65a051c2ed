/** Keeps the focus where it was when the front end replaces an output, as it does when a twin is brought up to date. */

/** What views keep from one mount to the next. */
export interface Kept {
  kept(name: string): unknown;
  keep(name: string, value: unknown): void;
}

interface Place {
  /** How many controls come before it. */
  at: number;
  start: number | null;
  end: number | null;
}

const CONTROLS = "input, select, textarea, button, summary";

/** Puts the focus back where the mount before this one had it, and follows it; returns how to stop. */
export function keepFocus(el: HTMLElement, live: Kept): () => void {
  const place = live.kept("focus") as Place | undefined;
  const target = place && el.querySelectorAll<HTMLElement>(CONTROLS)[place.at];
  if (place && target && el.ownerDocument.activeElement === el.ownerDocument.body) {
    target.focus({ preventScroll: true });
    if (isText(target)) target.setSelectionRange(place.start, place.end);
  }
  const keep = (event: Event) => {
    const control = event.target as HTMLInputElement;
    const at = [...el.querySelectorAll<HTMLElement>(CONTROLS)].indexOf(control);
    const [start, end] = isText(control) ? [control.selectionStart, control.selectionEnd] : [null, null];
    live.keep("focus", { at, start, end });
  };
  const leave = () => {
    // A control that was taken out of the page has lost the focus, too, but nobody has moved it.
    setTimeout(() => {
      if (el.isConnected && !el.contains(el.ownerDocument.activeElement)) live.keep("focus", undefined);
    });
  };
  el.addEventListener("focusin", keep);
  el.addEventListener("input", keep);
  el.addEventListener("focusout", leave);
  return () => {
    el.removeEventListener("focusin", keep);
    el.removeEventListener("input", keep);
    el.removeEventListener("focusout", leave);
  };
}

/** Whether it has a place to write at; other inputs have none, or throw where they are asked. */
function isText(control: HTMLElement): control is HTMLInputElement | HTMLTextAreaElement {
  return (
    control instanceof HTMLTextAreaElement ||
    (control instanceof HTMLInputElement && ["text", "search"].includes(control.type))
  );
}
