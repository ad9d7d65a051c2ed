/** The last log line, always in sight, and all lines behind it; the box follows the end until the reader scrolls. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { logLine } from "../lib/format";
import { type CardProps, isOpen } from "./card_model";

const MOST_LINES = 1_000;
const NEAR_END_PX = 12;

export function Logs({ card }: CardProps) {
  const open = useSignal(card.kept("logs_open") === true);
  const count = card.field("log_count").value ?? card.field("logs").value?.length ?? 0;
  return (
    <details
      class="fal-nb-logs"
      open={open}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
        card.keep("logs_open", open.value);
      }}
    >
      <summary class="fal-nb-logline">
        <LastLine card={card} />
        <span class="fal-nb-toggle">logs ({count})</span>
      </summary>
      {open.value && <LogBox card={card} />}
    </details>
  );
}

function LastLine({ card }: CardProps) {
  const last = card.field("logs").value?.at(-1);
  const words = isOpen(card) ? "no log lines yet" : "no log lines";
  if (last === undefined) return <span class="fal-nb-last fal-nb-quiet">{words}</span>;
  return <span class="fal-nb-last fal-nb-code">{logLine(last)}</span>;
}

function LogBox({ card }: CardProps) {
  const ref = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const shown = useRef<{ lines: string[]; count: number }>({ lines: [], count: 0 });
  useSignalEffect(() => {
    const lines = card.field("logs").value ?? [];
    const count = card.field("log_count").peek() ?? lines.length;
    const box = ref.current;
    if (!box) return;
    const fresh = newLines(shown.current, { lines, count });
    if (!fresh) box.replaceChildren();
    box.append(...(fresh ?? lines).map(lineElement));
    while (box.childElementCount > MOST_LINES) box.firstElementChild?.remove();
    shown.current = { lines, count };
    if (isFollowing.current) box.scrollTop = box.scrollHeight;
  });
  const onScroll = () => {
    const box = ref.current;
    if (box) isFollowing.current = box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_END_PX;
  };
  return (
    <>
      <div
        class="fal-nb-box fal-nb-code"
        role="log"
        aria-live="off"
        aria-label="logs"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        ref={ref}
        onScroll={onScroll}
      />
      <Request card={card} />
    </>
  );
}

function Request({ card }: CardProps) {
  const request = card.field("request_id").value;
  if (!request) return null;
  return <div class="fal-nb-request fal-nb-code fal-nb-quiet">request {request}</div>;
}

interface Shown {
  lines: string[];
  count: number;
}

/** The lines to append, or undefined where earlier ones changed (a late line put in its place). */
function newLines(before: Shown, after: Shown): string[] | undefined {
  const added = after.count - before.count;
  if (added < 0 || added > after.lines.length) return undefined;
  const kept = after.lines.slice(0, after.lines.length - added);
  const known = before.lines.slice(before.lines.length - kept.length);
  const isSame = known.length === kept.length && kept.every((line, place) => line === known[place]);
  return isSame ? after.lines.slice(after.lines.length - added) : undefined;
}

function lineElement(line: string): HTMLElement {
  const element = document.createElement("div");
  element.textContent = logLine(line) || "\u00a0";
  return element;
}
