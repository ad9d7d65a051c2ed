/** Head and foot of a monitor: how many jobs are open, what they cost, and what there is to know besides. */

import { useRef } from "preact/hooks";
import { useTick } from "../card/ticking";
import { isNumber, money, runningSeconds, STATE_WORDS } from "../lib/format";
import type { JobState } from "../lib/messages";
import type { Live } from "../lib/model";
import type { MonitorEvent, MonitorSpending, MonitorState } from "../lib/monitor_messages";

export interface MonitorProps {
  live: Live<MonitorState, MonitorEvent>;
}

const ORDER: readonly JobState[] = ["RUNNING", "QUEUED", "SUBMITTING", "PREPARED"];
const SCOPES: Record<string, string> = { session: "this kernel", daily: "today, all kernels" };

export function Head({ live }: MonitorProps) {
  const counts = live.field("counts").value ?? {};
  const open = ORDER.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  return (
    <header class="fal-nb-mhead">
      <div class="fal-nb-mcounts" role="status" aria-live="polite">
        <strong>{open ? `${open} open` : "No job is open."}</strong>
        {ORDER.filter((state) => counts[state]).map((state) => (
          <span key={state} class="fal-nb-mcount" data-state={state}>
            <i class="fal-nb-dot" aria-hidden="true" />
            {counts[state]} {STATE_WORDS[state]}
          </span>
        ))}
      </div>
      <dl class="fal-nb-mmoney">
        {(live.field("spending").value ?? []).map((spending) => (
          <Spending key={spending.scope} spending={spending} />
        ))}
      </dl>
    </header>
  );
}

function Spending({ spending }: { spending: MonitorSpending }) {
  const { scope, spent, reserved, budget, left } = spending;
  return (
    <div data-scope={scope} title={spending.stopped_by ? `stopped by #${spending.stopped_by}` : undefined}>
      <dt>{Object.hasOwn(SCOPES, scope) ? SCOPES[scope] : scope}</dt>
      <dd>spent {money(spent, "USD")}</dd>
      <dd>reserved {money(reserved, "USD")}</dd>
      {isNumber(budget) && (
        <dd data-stopped={Boolean(spending.stopped_by)}>
          {money(Math.max(0, left ?? 0), "USD")} left of {money(budget, "USD")}
        </dd>
      )}
    </div>
  );
}

export function Notes({ live }: MonitorProps) {
  const more = live.field("more").value ?? 0;
  const alone = live.field("left_alone").value ?? 0;
  const trouble = live.field("trouble").value;
  return (
    <footer class="fal-nb-mnotes">
      <Paused live={live} />
      {trouble && <div data-trouble="true">{trouble}</div>}
      {more > 0 && <div>{more} more are open; the history lists them.</div>}
      {alone > 0 && (
        <div>
          {alone} {alone === 1 ? "is" : "are"} followed by nobody since their kernel ended:{" "}
          <code>%fal resume</code> carries them on.
        </div>
      )}
    </footer>
  );
}

/** That fal's limit holds calls back, with the seconds that are left. */
function Paused({ live }: MonitorProps) {
  const ref = useRef<HTMLDivElement>(null);
  const until = live.field("paused_until").value;
  const held = live.field("held_back").value ?? 0;
  const words = () => {
    const left = isNumber(until) ? until - live.now() : 0;
    if (left <= 0) return "";
    return `fal's limit holds calls back for ${runningSeconds(left + 1)}; ${held} wait here.`;
  };
  useTick(ref, isNumber(until), () => {
    if (ref.current) ref.current.textContent = words();
  });
  return isNumber(until) ? <div ref={ref}>{words()}</div> : null;
}
