/** Head of a board: what it is, how far it is, what it has cost, and how to stop it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { money, STATE_WORDS, seconds } from "../lib/format";
import type { JobState } from "../lib/messages";
import { Simulated } from "../lib/simulated";
import type { BoardModel, BoardProps } from "./board_model";

const ORDER: readonly JobState[] = [
  "SUCCEEDED",
  "RUNNING",
  "SUBMITTING",
  "QUEUED",
  "PREPARED",
  "UNKNOWN",
  "FAILED",
  "CANCELLED",
  "SKIPPED",
];
export const CELL_WORDS: Record<JobState, string> = { ...STATE_WORDS, PREPARED: "waiting" };

export function Header({ board }: BoardProps) {
  const { live } = board;
  return (
    <header class="fal-nb-bhead">
      <div class="fal-nb-bline">
        <strong class="fal-nb-bname" title={live.field("name").value}>
          {live.field("name").value}
        </strong>
        <span class="fal-nb-bendpoint" title={live.field("endpoint").value}>
          {live.field("endpoint").value}
        </span>
        <Simulated backend={live.field("backend").value} />
        {!live.field("is_export").value && <Commands board={board} />}
      </div>
      <Bar board={board} />
      <div class="fal-nb-bline fal-nb-bfacts">
        <Counts board={board} />
        <Money board={board} />
      </div>
      <Announcer board={board} />
    </header>
  );
}

function Bar({ board }: BoardProps) {
  const counts = board.live.field("counts").value ?? {};
  const all = Math.max(1, total(board));
  return (
    <div class="fal-nb-bbar" aria-hidden="true">
      {ORDER.map((state) => {
        const count = counts[state] ?? 0;
        if (count === 0) return null;
        return <span key={state} data-state={state} style={{ width: `${(100 * count) / all}%` }} />;
      })}
    </div>
  );
}

function Counts({ board }: BoardProps) {
  const counts = board.live.field("counts").value ?? {};
  const all = total(board);
  return (
    <span class="fal-nb-bcounts">
      <span>
        {all.toLocaleString("en")} {all === 1 ? "cell" : "cells"}
      </span>
      {ORDER.filter((state) => counts[state]).map((state) => (
        <span key={state} class="fal-nb-bcount" data-state={state}>
          <i class="fal-nb-dot" aria-hidden="true" />
          {counts[state]?.toLocaleString("en")} {CELL_WORDS[state]}
        </span>
      ))}
      {board.live.field("is_paused").value && <span class="fal-nb-badge">paused</span>}
    </span>
  );
}

function Money({ board }: BoardProps) {
  const { live } = board;
  const currency = live.field("currency").value;
  const spent = money(live.field("spent").value, currency);
  const budget = money(live.field("budget").value, currency);
  const reserved = live.field("reserved").value;
  const left = live.field("seconds_left").value;
  const words = budget ? `spent ${spent.split(" ")[0]} of ${budget}` : `spent ${spent}`;
  return (
    <span class="fal-nb-bmoney">
      <span>{words}</span>
      {reserved ? <span title="held for what is open">reserved {money(reserved, currency)}</span> : null}
      {typeof left === "number" && <span>about {seconds(left).replace(/\.\d+/, "")} left</span>}
    </span>
  );
}

/** How a sweep stands: what can be done with it, and how many of its cells have failed or nobody will call. */
function standing({ live }: BoardModel) {
  const counts = live.field("counts").value ?? {};
  const isAtRest = live.field("is_at_rest").value === true;
  return {
    isPaused: live.field("is_paused").value === true,
    isOpen: openCount(counts) > 0 && !isAtRest,
    failed: counts.FAILED ?? 0,
    left: isAtRest ? (counts.PREPARED ?? 0) : 0,
  };
}

/** Says to a screen reader when the sweep starts, pauses and ends, not each cell. */
function Announcer({ board }: BoardProps) {
  const { isPaused, isOpen, failed, left } = standing(board);
  const ended = left > 0 ? `at rest, ${left} not called` : `ended, ${failed} failed`;
  const state = isPaused ? "paused" : isOpen ? "running" : ended;
  return (
    <div class="fal-nb-spoken" role="status" aria-live="polite">
      sweep {board.live.field("name").value}: {state}
    </div>
  );
}

type Command = "pause" | "resume" | "cancel" | "retry";

function Commands({ board }: BoardProps) {
  const { isPaused, isOpen, failed, left } = standing(board);
  const sent = useSignal<readonly Command[]>([]);
  const about = `${isPaused} ${isOpen} ${failed} ${left}`;
  // A new state is the answer to what was sent.
  useEffect(() => {
    sent.value = [];
  }, [about]);
  const send = (kind: Command) => {
    sent.value = [...sent.value, kind];
    board.live.send({ kind });
  };
  const button = (kind: Command, words: string, isShown: boolean) =>
    isShown && (
      <button
        type="button"
        class="fal-nb-button"
        data-command={kind}
        disabled={sent.value.includes(kind)}
        title={sent.value.includes(kind) ? "sent, waiting for the kernel" : undefined}
        onClick={() => send(kind)}
      >
        {sent.value.includes(kind) ? `${words}: sent` : words}
      </button>
    );
  return (
    <span class="fal-nb-bcommands">
      {button("pause", "Pause", isOpen && !isPaused)}
      {button("resume", isPaused ? "Resume" : `Run the rest (${left})`, isPaused || left > 0)}
      {button("retry", `Retry failed (${failed})`, failed > 0)}
      {button("cancel", "Cancel", isOpen)}
    </span>
  );
}

function total(board: BoardModel): number {
  return Object.values(board.live.field("counts").value ?? {}).reduce((sum, count) => sum + count, 0);
}

function openCount(counts: Partial<Record<JobState, number>>): number {
  return (counts.PREPARED ?? 0) + (counts.SUBMITTING ?? 0) + (counts.QUEUED ?? 0) + (counts.RUNNING ?? 0);
}
