/** What went wrong, or what is not known, and what a person can do about it. */

import { useRef } from "preact/hooks";
import { stalledWords } from "../lib/stalled";
import { type CardProps, isOpen } from "./card_model";
import { useTick } from "./ticking";

const UNKNOWN =
  "Whether it ran, and was charged, only fal knows; it is never sent again by itself. `%fal reconcile` asks.";

export function Notice({ card }: CardProps) {
  const state = card.field("state").value;
  const error = card.field("error").value;
  const type = card.field("error_type").value;
  const next = card.field("next_step").value;
  const isUnknown = state === "UNKNOWN";
  if (isOpen(card) || !(error || next || isUnknown)) return null;
  return (
    <div class="fal-nb-notice" data-state={state}>
      {isUnknown && <div>{UNKNOWN}</div>}
      {(error || type) && (
        <div>
          {error} {type && <span class="fal-nb-code fal-nb-quiet">{type}</span>}
        </div>
      )}
      {next && <div class="fal-nb-quiet">{next}</div>}
    </div>
  );
}

/** That nothing moves in a job any more, for longer than such calls take; Cancel is in the head line. */
export function Stalled({ card }: CardProps) {
  const ref = useRef<HTMLSpanElement>(null);
  const stalled = card.field("stalled").value;
  const words = () => stalledWords(stalled, card.now());
  const isShown = Boolean(stalled) && isOpen(card);
  useTick(ref, isShown, () => {
    if (ref.current) ref.current.textContent = words();
  });
  if (!isShown) return null;
  return (
    <div class="fal-nb-stalled" role="alert">
      <span ref={ref}>{words()}</span>
      <button type="button" class="fal-nb-button" onClick={() => card.send({ kind: "keep-waiting" })}>
        Keep waiting
      </button>
    </div>
  );
}
