/** Keeps the focus where it was when the front end replaces an output, as it does when a twin is brought up to date. */

import type { FormEvent, FormState } from "../lib/form_messages";
import type { Live } from "../lib/model";

interface Place {
  /** How many controls come before it. */
  at: number;
  start: number | null;
  end: number | null;
}

const CONTROLS = "input, select, textarea, button, summary";

/** Puts the focus back where the mount before this one had it, and follows it; returns how to stop. */
export function keepFocus(el: HTMLElement, live: Live<FormState, FormEvent>): () => void {
  const place = live.kept("focus") as Place | undefined;
  const target = place && el.querySelectorAll<HTMLElement>(CONTROLS)[place.at];
  if (place && target && el.ownerDocument.activeElement === el.ownerDocument.body) {
    target.focus({ preventScroll: true });
    if (target instanceof HTMLTextAreaElement) target.setSelectionRange(place.start, place.end);
  }
  const keep = (event: Event) => {
    const control = event.target as HTMLInputElement;
    const at = [...el.querySelectorAll<HTMLElement>(CONTROLS)].indexOf(control);
    const isText = control instanceof HTMLTextAreaElement;
    live.keep("focus", {
      at,
      start: isText ? control.selectionStart : null,
      end: isText ? control.selectionEnd : null,
    });
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
