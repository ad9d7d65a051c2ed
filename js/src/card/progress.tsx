/** The progress row: a bar and a word while the job is open, its times once it has ended. */

import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { cancelWords, isNumber, seconds } from "../lib/format";
import { type CardModel, type CardProps, isOpen } from "./card_model";
import { useTick } from "./ticking";

interface Bar {
  /** 0 to 1; undefined where nothing is known. */
  share?: number;
  isGuess?: boolean;
  words: string;
  spoken: string;
  /** Whether the words are a sentence, which needs the room of the bar. */
  isSaid?: boolean;
}

export function Progress({ card }: CardProps) {
  return (
    <div class="fal-nb-progress">{isOpen(card) ? <OpenBar card={card} /> : <Summary card={card} />}</div>
  );
}

function OpenBar({ card }: CardProps) {
  const bar = readBar(card);
  if (bar.isGuess) return <GuessBar card={card} />;
  return <BarRow bar={bar} isRunning={card.field("state").value === "RUNNING"} />;
}

/** A bar that moves with the clock, by what this endpoint's past calls took. */
function GuessBar({ card }: CardProps) {
  const ref = useRef<HTMLDivElement>(null);
  const words = useRef<HTMLSpanElement>(null);
  const bar = readBar(card);
  useTick(ref, true, () => {
    const { share = 0, words: text } = readBar(card);
    const fill = ref.current?.firstElementChild;
    if (fill instanceof HTMLElement) fill.style.transform = shift(share);
    ref.current?.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    ref.current?.setAttribute("aria-valuetext", text);
    if (words.current && words.current.textContent !== text) words.current.textContent = text;
  });
  return <BarRow bar={bar} isRunning barRef={ref} wordsRef={words} />;
}

interface BarRowProps {
  bar: Bar;
  isRunning: boolean;
  barRef?: RefObject<HTMLDivElement | null>;
  wordsRef?: RefObject<HTMLSpanElement | null>;
}

function BarRow({ bar, isRunning, barRef, wordsRef }: BarRowProps) {
  const { share, words, spoken, isSaid } = bar;
  return (
    <>
      <div
        ref={barRef}
        class="fal-nb-bar"
        data-bar={share === undefined ? "waiting" : bar.isGuess ? "guess" : "known"}
        data-running={isRunning}
        role="progressbar"
        aria-label="progress"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={share === undefined ? undefined : Math.round(share * 100)}
        aria-valuetext={spoken}
      >
        <div class="fal-nb-fill" style={share === undefined ? undefined : { transform: shift(share) }} />
      </div>
      <span class="fal-nb-words" data-said={isSaid} title={isSaid ? words : undefined} ref={wordsRef}>
        {words}
      </span>
    </>
  );
}

function Summary({ card }: CardProps) {
  const queue = seconds(card.field("queue_s").value);
  const inference = seconds(card.field("inference_s").value);
  const state = card.field("state").value;
  const parts = [
    state === "SKIPPED" && "not sent",
    state === "UNKNOWN" && "sent, answer lost; may have been charged",
    queue && `queue ${queue}`,
    inference && `inference ${inference}`,
    cancelWords(card.field("cancel").value),
  ].filter(Boolean);
  if (parts.length === 0) return null;
  const words = parts.join(" · ");
  return (
    <div class="fal-nb-summary" title={words}>
      {words}
    </div>
  );
}

function readBar(card: CardModel): Bar {
  const state = card.field("state").value;
  const next = card.field("next_step").value;
  if (next && state !== "QUEUED" && state !== "RUNNING") return { words: next, spoken: next, isSaid: true };
  if (state === "QUEUED") return queued(card.field("queue_position").value);
  if (state !== "RUNNING") return { words: "", spoken: state === "SUBMITTING" ? "sending" : "preparing" };
  const steps = card.field("steps").value;
  const progress = card.field("progress").value;
  const isHistory = card.field("progress_source").value === "history";
  if (Array.isArray(steps) && isNumber(steps[0]) && isNumber(steps[1]) && steps[1] > 0) {
    const [done, all] = steps;
    const share = clamp(isNumber(progress) && !isHistory ? progress : done / all);
    return { share, words: `${done}/${all}`, spoken: `${done} of ${all} steps` };
  }
  if (isNumber(progress) && !isHistory) return known(clamp(progress));
  return guess(isNumber(progress) ? clamp(progress) : expectedShare(card));
}

function queued(ahead: number | null | undefined): Bar {
  const words = isNumber(ahead) ? `position ${ahead + 1} in the queue` : "in the queue";
  return { words, spoken: words };
}

function known(share: number): Bar {
  const words = `${Math.round(share * 100)} %`;
  return { share, words, spoken: words };
}

function guess(share: number | undefined): Bar {
  if (share === undefined) return { words: "duration unknown", spoken: "running, duration unknown" };
  // In steps of five, as it is a guess.
  const words = `about ${Math.round(share * 20) * 5} %`;
  return { share, isGuess: true, words, spoken: words };
}

/** Straight up to four fifths of the expected time, then ever slower, never done before it is done. */
function expectedShare(card: CardModel): number | undefined {
  const expected = card.field("expected_s").value;
  const started = card.field("started").value;
  if (!isNumber(expected) || expected <= 0 || !isNumber(started)) return undefined;
  const share = Math.max(0, card.now() - started) / expected;
  return share < 0.8 ? share : 0.8 + 0.17 * (1 - Math.exp((0.8 - share) / 0.5));
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function shift(share: number): string {
  return `translateX(${(share * 100 - 100).toFixed(1)}%)`;
}
