/** The rows of a monitor: one call each, with the way to stop it. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useTick } from "../card/ticking";
import { cancelWords, isNumber, money, runningSeconds, STATE_WORDS, seconds } from "../lib/format";
import type { Live } from "../lib/model";
import type { MonitorEvent, MonitorRow, MonitorState } from "../lib/monitor_messages";
import { Simulated } from "../lib/simulated";
import { stalledWords } from "../lib/stalled";
import type { MonitorProps } from "./head";

const OPEN = new Set(["PREPARED", "SUBMITTING", "QUEUED", "RUNNING"]);
const WHOSE = { here: "", elsewhere: "another kernel", nobody: "nobody follows it" };

interface RowProps {
  live: Live<MonitorState, MonitorEvent>;
  row: MonitorRow;
}

export function Rows({ live }: MonitorProps) {
  const state = live.state.value;
  const rows = Array.from({ length: state.count ?? 0 }, (_, place) => state[`r${place}`]);
  return (
    <ol class="fal-nb-mrows">
      {rows.map((row) => row && <Row key={row.record_id} live={live} row={row} />)}
    </ol>
  );
}

function Row({ live, row }: RowProps) {
  return (
    <li class="fal-nb-mrow" data-state={row.state} data-record={row.record_id}>
      <span class="fal-nb-mnumber">#{row.record_id}</span>
      <span class="fal-nb-mname">
        <span class="fal-nb-mendpoint" title={row.endpoint}>
          {row.endpoint}
        </span>
        <Simulated backend={row.backend} />
      </span>
      <span class="fal-nb-mstate">
        <i class="fal-nb-dot" aria-hidden="true" />
        {STATE_WORDS[row.state] ?? row.state}
      </span>
      <Doing live={live} row={row} />
      <Age live={live} row={row} />
      <span class="fal-nb-mcost">{amount(row)}</span>
      <Cancel live={live} row={row} />
      {row.stalled && <Stalled live={live} row={row} />}
    </li>
  );
}

function Doing({ live, row }: RowProps) {
  const ref = useRef<HTMLElement>(null);
  const guess = row.state === "RUNNING" && !isNumber(row.progress) && isNumber(row.expected_s);
  const paint = () => {
    const share = shareOf(row, live.now());
    if (ref.current) ref.current.style.width = share === undefined ? "0" : `${(share * 100).toFixed(1)}%`;
  };
  useLayoutEffect(paint);
  useTick(ref, guess, paint);
  const words = doing(row);
  return (
    <span class="fal-nb-mdoing">
      {row.state === "RUNNING" && (isNumber(row.progress) || guess) && (
        <span class="fal-nb-mbar" data-guess={guess} aria-hidden="true">
          <i ref={ref} />
        </span>
      )}
      <span class="fal-nb-mwords" title={words}>
        {words}
      </span>
    </span>
  );
}

function doing(row: MonitorRow): string {
  const parts: string[] = [];
  if (row.state === "QUEUED" && isNumber(row.queue_position))
    parts.push(`position ${row.queue_position + 1}`);
  if (row.state === "RUNNING" && row.steps) parts.push(`${row.steps[0]}/${row.steps[1]}`);
  else if (row.state === "RUNNING" && isNumber(row.progress))
    parts.push(`${Math.round(row.progress * 100)} %`);
  parts.push(WHOSE[row.whose] ?? "", cancelWords(row.cancel));
  return parts.filter(Boolean).join(" · ");
}

/** How much of it is done, or should be by what such calls took; never all of it before it is. */
function shareOf(row: MonitorRow, now: number): number | undefined {
  if (isNumber(row.progress)) return Math.min(1, Math.max(0, row.progress));
  if (!isNumber(row.expected_s) || row.expected_s <= 0 || !isNumber(row.started)) return undefined;
  return Math.min(0.97, Math.max(0, (now - row.started) / row.expected_s));
}

function Age({ live, row }: RowProps) {
  const ref = useRef<HTMLSpanElement>(null);
  const open = OPEN.has(row.state);
  const words = () => {
    const took = Math.max(0, (row.ended ?? live.now()) - row.since);
    return open ? runningSeconds(took) : seconds(took);
  };
  useTick(ref, open, () => {
    const text = words();
    if (ref.current && ref.current.textContent !== text) ref.current.textContent = text;
  });
  return (
    <span class="fal-nb-mage" title="time since it was sent" ref={ref}>
      {words()}
    </span>
  );
}

function amount(row: MonitorRow): string {
  const cost = money(row.cost, row.currency);
  const estimate = money(row.estimate, row.currency);
  return cost || (estimate && `≤ ${estimate}`);
}

function Cancel({ live, row }: RowProps) {
  const sent = useSignal(false);
  useEffect(() => {
    if (row.cancel) sent.value = false;
  }, [row.cancel]);
  if (!OPEN.has(row.state) || !(row.can_cancel || row.cancel)) return <span class="fal-nb-mcancel" />;
  const click = () => {
    sent.value = true;
    live.send({ kind: "cancel", record_id: row.record_id });
  };
  const isWaiting = sent.value && !row.cancel;
  return (
    <span class="fal-nb-mcancel">
      <button
        type="button"
        class="fal-nb-button"
        aria-label={`Cancel job ${row.record_id}`}
        disabled={isWaiting || !row.can_cancel}
        title={isWaiting ? "sent, waiting for the kernel" : undefined}
        onClick={click}
      >
        {isWaiting ? "sent" : row.cancel ? "cancelling…" : "Cancel"}
      </button>
    </span>
  );
}

function Stalled({ live, row }: RowProps) {
  const ref = useRef<HTMLSpanElement>(null);
  const words = () => stalledWords(row.stalled, live.now());
  useTick(ref, true, () => {
    if (ref.current) ref.current.textContent = words();
  });
  return (
    <span class="fal-nb-mstalled" role="alert">
      <span ref={ref}>{words()}</span>
      <button
        type="button"
        class="fal-nb-button"
        onClick={() => live.send({ kind: "keep-waiting", record_id: row.record_id })}
      >
        Keep waiting
      </button>
    </span>
  );
}
