/** Head line and prompt of a card: which job, in which state, since when, for how much. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { isNumber, money, runningSeconds, STATE_WORDS, seconds } from "../lib/format";
import { Simulated } from "../lib/simulated";
import { type CardModel, type CardProps, isOpen } from "./card_model";
import { CopyAs, type Copying } from "./copying";
import { useTick } from "./ticking";

export function Header({ card, copying }: CardProps & { copying: Copying }) {
  return (
    <div class="fal-nb-head">
      <div class="fal-nb-who">
        <State card={card} />
        <Name card={card} />
      </div>
      <div class="fal-nb-facts">
        <Cancel card={card} />
        <Cost card={card} />
        <Elapsed card={card} />
        <CopyAs card={card} copying={copying} />
      </div>
    </div>
  );
}

/** Says changes of the state, and nothing else, to a screen reader. */
export function Announcer({ card }: CardProps) {
  const state = card.field("state").value;
  const words = `${card.field("endpoint").value} #${card.field("record_id").value}: ${stateWord(state)}`;
  return (
    <div class="fal-nb-spoken" role="status" aria-live="polite">
      {words}
    </div>
  );
}

export function Prompt({ card }: CardProps) {
  const prompt = card.field("prompt").value?.trim();
  const text = prompt || card.field("line").value || "";
  return (
    <div class={`fal-nb-prompt${prompt ? "" : " fal-nb-quiet"}`} title={text}>
      {text.replace(/\s+/g, " ").slice(0, 500)}
    </div>
  );
}

/** Where an equal call is, or that this is one: quiet, in one line. */
export function Equal({ card }: CardProps) {
  const words = card.field("equal").value;
  return words ? <div class="fal-nb-equal fal-nb-quiet">{words}</div> : null;
}

function State({ card }: CardProps) {
  const state = card.field("state").value;
  return (
    <span class="fal-nb-state" data-state={state}>
      <span class="fal-nb-dot" aria-hidden="true" />
      {stateWord(state)}
    </span>
  );
}

function Name({ card }: CardProps) {
  const endpoint = card.field("endpoint").value;
  const request = card.field("request_id").value;
  const kind = card.field("kind").value;
  return (
    <>
      <span class="fal-nb-endpoint" title={endpoint}>
        {endpoint}
      </span>
      <span class="fal-nb-record" title={request ? `request ${request}` : "not accepted yet"}>
        #{card.field("record_id").value}
      </span>
      {kind && kind !== "queue" && <span class="fal-nb-badge">{kind}</span>}
      <Simulated backend={card.field("backend").value} />
    </>
  );
}

/** Always there, so that an estimate which comes later, or turns into a cost, moves nothing. */
function Cost({ card }: CardProps) {
  const currency = card.field("currency").value;
  const cost = money(card.field("cost").value, currency);
  const estimate = money(card.field("estimate").value, currency);
  const isSimulated = card.field("backend").value === "simulator";
  const what = cost ? "cost" : estimate ? "estimated before the call" : undefined;
  const title = what && isSimulated ? `${what}; simulated, nothing is billed` : what;
  return (
    <span class="fal-nb-cost" title={title}>
      {cost || (estimate && `est. ≤ ${estimate}`)}
    </span>
  );
}

function Elapsed({ card }: CardProps) {
  const ref = useRef<HTMLSpanElement>(null);
  const open = isOpen(card);
  const paint = () => {
    const text = elapsed(card, open);
    if (ref.current && ref.current.textContent !== text) ref.current.textContent = text;
  };
  card.field("submitted").value;
  card.field("ended").value;
  useLayoutEffect(paint);
  useTick(ref, open, paint);
  return <span class="fal-nb-elapsed" title="time since it was sent" ref={ref} />;
}

function elapsed(card: CardModel, open: boolean): string {
  const from = card.field("submitted").peek() ?? card.field("created").peek();
  const ended = card.field("ended").peek();
  if (!isNumber(from) || card.field("state").peek() === "SKIPPED") return "";
  if (isNumber(ended)) return seconds(Math.max(0, ended - from));
  return open ? runningSeconds(card.now() - from) : "";
}

function Cancel({ card }: CardProps) {
  const sent = useSignal(card.kept("cancel_sent") === true);
  const answer = card.field("cancel").value;
  const canCancel = card.field("can_cancel").value === true;
  const setSent = (isSent: boolean) => {
    sent.value = isSent;
    card.keep("cancel_sent", isSent);
  };
  useEffect(() => {
    if (answer && sent.peek()) setSent(false);
  });
  if (!isOpen(card) || !(canCancel || answer || sent.value)) return null;
  const cancel = () => {
    setSent(true);
    card.send({ kind: "cancel" });
  };
  const isWaiting = sent.value && !answer;
  return (
    <button
      type="button"
      class="fal-nb-button fal-nb-cancel"
      disabled={sent.value || Boolean(answer) || !canCancel}
      title={
        isWaiting ? "A cell that blocks may keep it waiting; the notebook's Stop works at once." : undefined
      }
      onClick={cancel}
    >
      {isWaiting ? "sent, waiting for the kernel" : answer ? "cancelling…" : "Cancel"}
    </button>
  );
}

function stateWord(state: keyof typeof STATE_WORDS | undefined): string {
  return (state && STATE_WORDS[state]) ?? String(state ?? "").toLowerCase();
}
