/** What went wrong, or what is not known, and what a person can do about it. */

import { type CardProps, isOpen } from "./card_model";

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
