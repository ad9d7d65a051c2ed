/** What every part of a card is given. */

import type { CardEvent, CardState, JobState } from "../lib/messages";
import type { Live } from "../lib/model";

export type CardModel = Live<CardState, CardEvent>;

export interface CardProps {
  card: CardModel;
}

const OPEN: ReadonlySet<JobState> = new Set(["PREPARED", "SUBMITTING", "QUEUED", "RUNNING"]);

/** Whether the job will still change by itself. */
export function isOpen(card: CardModel): boolean {
  const state = card.field("state").value;
  return state === undefined || OPEN.has(state);
}
