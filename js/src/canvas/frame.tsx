/** The newest frame, how fast frames come, and the button that pins it. */

import type { CanvasProps } from "./canvas_model";

export function Frame({ model }: CanvasProps) {
  const shown = model.shown.value;
  const [width, height] = model.canvas.field("size").value ?? [1, 1];
  return (
    <div class="fal-nb-cside">
      <div class="fal-nb-ctools">
        <button
          type="button"
          class="fal-nb-button fal-nb-primary"
          disabled={!shown}
          title="keep this frame in the history, with its arguments"
          onClick={() => model.pin()}
        >
          Pin frame
        </button>
        <Pace model={model} />
      </div>
      <div
        class="fal-nb-cshown"
        data-frame={shown?.frame}
        data-input={shown?.input}
        style={{ aspectRatio: `${width} / ${height}` }}
      >
        {shown ? (
          <img src={shown.url} alt={`frame ${shown.frame}`} draggable={false} />
        ) : (
          <p class="fal-nb-quiet">
            {model.painting
              ? "Draw, or change an input: frames come here."
              : "Change an input: frames come here."}
          </p>
        )}
      </div>
    </div>
  );
}

function Pace({ model }: CanvasProps) {
  const { frames, p50, p95, perSecond } = model.pace.value;
  if (frames === 0) return null;
  const most = model.canvas.field("most_in_flight").value;
  const wire = model.wireMs.value;
  const title =
    `from this page to the endpoint and back: half within ${ms(p50)}, 95 of 100 within ${ms(p95)}` +
    (wire === undefined ? "" : `; of the last one ${ms(wire)} beyond the kernel`) +
    `; at most ${most} inputs are on their way`;
  return (
    <span class="fal-nb-cpace" title={title}>
      {p50 !== undefined && (
        <>
          <span data-pace="p50">{ms(p50)}</span> / <span data-pace="p95">{ms(p95)}</span>
          <span class="fal-nb-spoken"> round trip, median and 95th percentile</span>
          {" · "}
        </>
      )}
      <span data-pace="rate">{perSecond.toFixed(1)} frames/s</span>
      {" · "}
      <span data-pace="flight">{model.inFlight.value} in flight</span>
    </span>
  );
}

function ms(value: number | undefined): string {
  return value === undefined ? "– ms" : `${Math.round(value)} ms`;
}
