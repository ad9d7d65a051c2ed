/** One model, looked at closely: what it is, what it takes, what it costs, and the lines that call it. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Details } from "../lib/models_messages";
import type { ModelsModel, ModelsProps } from "./models_model";

export function DetailsPane({ models }: ModelsProps) {
  const place = models.opened.value;
  const pane = useRef<HTMLElement>(null);
  const before = useRef<HTMLElement>(undefined);
  useLayoutEffect(() => keepFocus(pane.current, before), [place]);
  useEffect(() => {
    if (place >= 0) models.want(place);
    if (pane.current) pane.current.scrollTop = 0;
  }, [models, place]);
  if (place < 0) return null;
  const row = models.row(place).value;
  const details = models.details.value;
  return (
    <aside
      ref={pane}
      class="fal-nb-cpane"
      tabIndex={-1}
      aria-label={row ? `details of ${row[1]}` : "details"}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        models.close();
      }}
    >
      <div class="fal-nb-cpanehead">
        <span>
          <strong>{row?.[2]}</strong>
          <code>{row?.[1]}</code>
        </span>
        <button
          type="button"
          class="fal-nb-button"
          aria-label="close"
          title="close"
          onClick={() => models.close()}
        >
          ×
        </button>
      </div>
      {details ? <Known models={models} details={details} /> : <div class="fal-nb-quiet">asking …</div>}
    </aside>
  );
}

/** In a narrow cell the details take the place of the cards, and what is hidden hears no keys; later it goes back. */
function keepFocus(pane: HTMLElement | null, before: { current?: HTMLElement }): void {
  const { activeElement: focused } = document;
  if (!pane) {
    if (before.current && (!focused || focused === document.body)) before.current.focus();
    before.current = undefined;
  } else if (focused instanceof HTMLElement && focused.matches(".fal-nb-ccard")) {
    before.current = focused;
    if (focused.getClientRects().length === 0) pane.focus();
  }
}

function Known({ models, details }: { models: ModelsModel; details: Details }) {
  return (
    <>
      {details.description && <p>{details.description}</p>}
      <div class="fal-nb-cline">
        <button
          type="button"
          class="fal-nb-button fal-nb-primary"
          title={models.insert ? "writes the cell below; run it to fill in the form" : "copies the line"}
          onClick={() => models.write(details.form_line)}
        >
          {models.insert ? "Open its form below" : "Copy its form"}
        </button>
        <button type="button" class="fal-nb-button" onClick={() => models.copy(details.run_line)}>
          Copy %fal run
        </button>
        <span class="fal-nb-quiet" role="status">
          {models.notice.value}
        </span>
      </div>
      <pre class="fal-nb-ccode">{details.run_line}</pre>
      {details.price && <div class="fal-nb-cprice">{details.price}</div>}
      {details.trouble && <div class="fal-nb-ctrouble">{details.trouble}</div>}
      <dl class="fal-nb-cfacts">
        {details.facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {details.inputs.length > 0 && <h4>Inputs</h4>}
      <ul class="fal-nb-cinputs">
        {details.inputs.map(([name, type, fallback, values, isRequired, description]) => (
          <li key={name}>
            <code>{name}</code>
            {isRequired && <span class="fal-nb-cneeded">required</span>}
            <span class="fal-nb-quiet">
              {[type, values, fallback && `= ${fallback}`].filter(Boolean).join(" · ")}
            </span>
            {description && <div class="fal-nb-quiet">{description}</div>}
          </li>
        ))}
      </ul>
    </>
  );
}
