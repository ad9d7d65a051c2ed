/** Head of a canvas: which endpoint, how the line stands, what an idle one costs, how to pause and stop it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { everyTick } from "../lib/clock";
import { Simulated } from "../lib/simulated";
import type { CanvasProps } from "./canvas_model";

/** An idle line says so only when nobody has done anything for a while: it is idle between two strokes, too. */
const QUIET_S = 2;

export function LineBar({ model }: CanvasProps) {
  const { canvas } = model;
  const line = canvas.field("line").value ?? "closed";
  const isPaused = canvas.field("is_paused").value === true;
  const isConnected = line === "open" || line === "connecting";
  const error = canvas.field("error").value || (line === "failed" ? canvas.field("why").value : "");
  const record = canvas.field("session_record").value;
  return (
    <header class="fal-nb-chead">
      <div class="fal-nb-cline">
        <strong>{canvas.field("endpoint").value}</strong>
        <span class="fal-nb-cstate" data-line={isPaused && isConnected ? "paused" : line}>
          <span class="fal-nb-dot" aria-hidden="true" />
          <Words model={model} />
        </span>
        {record != null && (
          <span class="fal-nb-quiet" title="the record of the session, which is billed">
            #{record}
          </span>
        )}
        <Simulated backend={canvas.field("backend").value} />
        <span class="fal-nb-cbuttons">
          {isConnected && !isPaused ? (
            <button
              type="button"
              class="fal-nb-button"
              title="send nothing for now; it stays connected"
              onClick={() => model.pause()}
            >
              Pause
            </button>
          ) : (
            <button
              type="button"
              class="fal-nb-button fal-nb-primary"
              title="Ctrl+Enter does the same"
              onClick={() => model.go()}
            >
              {line === "failed" ? "Try again" : isPaused ? "Go on" : "Start"}
            </button>
          )}
          <button
            type="button"
            class="fal-nb-button"
            disabled={!isConnected}
            title="end the session at the endpoint"
            onClick={() => model.stop()}
          >
            Stop
          </button>
        </span>
      </div>
      {error && (
        <div class="fal-nb-fwrong" role="alert">
          {error}
        </div>
      )}
    </header>
  );
}

function Words({ model: { canvas } }: CanvasProps) {
  const line = canvas.field("line").value ?? "closed";
  const until = canvas.field("idle_until").value;
  const idleS = canvas.field("idle_s").value ?? 0;
  const isPaused = canvas.field("is_paused").value === true;
  const left = useSignal<number | undefined>(undefined);
  useEffect(() => {
    if (until == null) {
      left.value = undefined;
      return;
    }
    const tick = () => {
      left.value = Math.max(0, Math.ceil(until - canvas.now()));
    };
    tick();
    return everyTick(tick);
  }, [until, canvas, left]);
  const why = canvas.field("why").value;
  return <span title={why || undefined}>{words(line, isPaused, left.value, idleS, why ?? "")}</span>;
}

function words(
  line: string,
  isPaused: boolean,
  left: number | undefined,
  idleS: number,
  why: string,
): string {
  if (line === "connecting") return "connecting …";
  if (line === "failed") return "failed";
  if (line === "closed") return why ? why.replace(/\.$/, "") : "not connected";
  const isIdle = left !== undefined && (isPaused || left <= idleS - QUIET_S);
  const until = isIdle ? `, billed by time: disconnects in ${left} s` : "";
  if (isPaused) return `paused${until}`;
  return isIdle ? `idle${until}` : "live";
}
