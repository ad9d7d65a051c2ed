/** The plan of a sweep: what it would come to, and the button that runs it. Its board takes its place. */

import { useSignal } from "@preact/signals";
import { render as renderInto } from "preact";
import { useEffect } from "preact/hooks";
import { Live } from "./lib/model";
import type { PlanEvent, PlanState } from "./lib/plan_messages";
import { Simulated } from "./lib/simulated";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import type { CleanUp, RenderContext } from "./lib/widget";
import planCss from "./plan.css?inline";

interface PlanProps {
  live: Live<PlanState, PlanEvent>;
}

function Plan({ live }: PlanProps) {
  const name = live.field("name").value;
  const endpoint = live.field("endpoint").value;
  return (
    <section class="fal-nb-plan fal-nb-theme" aria-label={`plan of the sweep ${name}`}>
      <header class="fal-nb-phead">
        <strong class="fal-nb-pname" title={name}>
          {name}
        </strong>
        <span class="fal-nb-pendpoint" title={endpoint}>
          {endpoint}
        </span>
        <Simulated backend={live.field("backend").value} />
        <RunButton live={live} />
      </header>
      <p class="fal-nb-pfigures">
        {(live.field("figures").value ?? []).map((figure) => (
          <span key={figure}>{figure}</span>
        ))}
      </p>
      <dl class="fal-nb-plines">
        {(live.field("lines").value ?? []).map(([label, words], at) => (
          <div key={`${at} ${label}`}>
            <dt>{label}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <Next live={live} />
    </section>
  );
}

function RunButton({ live }: PlanProps) {
  const isSent = useSignal(false);
  const step = live.field("step").value;
  const error = live.field("error").value;
  const calls = live.field("calls").value ?? 0;
  // A new step, or an error, is the answer to what was sent.
  useEffect(() => {
    isSent.value = false;
  }, [step, error]);
  if (step === "started") return null;
  const isWaiting = isSent.value || step === "starting";
  const words = calls === 0 ? "Run" : `Run ${calls.toLocaleString("en")} ${calls === 1 ? "call" : "calls"}`;
  return (
    <button
      type="button"
      class="fal-nb-button fal-nb-primary fal-nb-prun"
      data-command="run"
      disabled={isWaiting}
      title={isSent.value ? "sent, waiting for the kernel" : undefined}
      onClick={() => {
        isSent.value = true;
        live.send({ kind: "run" });
      }}
    >
      {isWaiting ? "Run: sent" : words}
    </button>
  );
}

function Next({ live }: PlanProps) {
  const step = live.field("step").value;
  const error = live.field("error").value;
  const command = live.field("command").value;
  return (
    <>
      {error && (
        <p class="fal-nb-perror" role="alert">
          {error}
        </p>
      )}
      <p class="fal-nb-pnext fal-nb-quiet" role="status">
        {step === "planned" && (
          <>
            Nothing is sent before Run. From a cell: <code>{command}</code>
          </>
        )}
        {step === "starting" && "It begins; its board takes this place."}
        {step === "started" && (
          <>
            It has begun. Its board: <code>{command?.replace(" resume ", " show ")}</code>
          </>
        )}
      </p>
    </>
  );
}

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "plan", planCss);
  const live = new Live<PlanState, PlanEvent>(model, () => true);
  renderInto(<Plan live={live} />, el);
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    renderInto(null, el);
    live.close();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

export default { render };
