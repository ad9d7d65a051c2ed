/** That nothing moves in a job, in a person's words, the same as in the static twin. */

import { isNumber, runningSeconds } from "./format";

/** `stalled` is when something last moved, and in how many seconds 95 of 100 such calls are over. */
export function stalledWords(stalled: [number, number | null] | null | undefined, now: number): string {
  if (!stalled || !isNumber(stalled[0])) return "";
  const [since, usual] = stalled;
  const still = `nothing has moved for ${runningSeconds(Math.max(1, now - since))}`;
  return isNumber(usual)
    ? `${still}; 95 of 100 such calls are over within ${runningSeconds(Math.max(1, usual + 0.5))}`
    : still;
}
