/** Above the cards: how many there are, words to look for, filters, order. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ModelsProps } from "./models_model";

const WAIT_MS = 250;
const SORT_WORDS: Record<string, string> = { best: "best match" };
const STATUSES = ["active", "deprecated", "any"];

export function Bar({ models }: ModelsProps) {
  const { live } = models;
  const [matching, count] = [live.field("matching").value ?? 0, live.field("count").value ?? 0];
  const told =
    matching === count
      ? `${count.toLocaleString("en")} models`
      : `${matching.toLocaleString("en")} of ${count.toLocaleString("en")} models`;
  const chosen = Object.values(live.field("filters").value ?? {}).flat().length;
  const isTurned = live.field("is_descending").value ?? false;
  const note = live.field("note").value;
  return (
    <header class="fal-nb-cbar">
      <div class="fal-nb-cline">
        <strong role="status" aria-live="polite">
          {told}
        </strong>
        {live.field("backend").value === "simulator" && (
          <span class="fal-nb-badge" title="served by the local simulator, not by fal; nothing is billed">
            simulated
          </span>
        )}
        <span class="fal-nb-ctools">
          <Words models={models} />
          <button
            type="button"
            class="fal-nb-button"
            aria-expanded={models.areFiltersOpen.value}
            onClick={() => {
              models.areFiltersOpen.value = !models.areFiltersOpen.value;
            }}
          >
            {chosen > 0 ? `Filters (${chosen})` : "Filters"}
          </button>
          <select
            aria-label="status"
            value={live.field("status").value}
            onChange={({ currentTarget }) => models.ask({ status: currentTarget.value })}
          >
            {STATUSES.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <select
            aria-label="order"
            value={live.field("sort").value}
            onChange={({ currentTarget }) => models.ask({ sort: currentTarget.value })}
          >
            {(live.field("sorts").value ?? []).map((name) => (
              <option key={name} value={name}>
                {SORT_WORDS[name] ?? name}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="fal-nb-button"
            aria-label="turn the order around"
            aria-pressed={isTurned}
            title="turn the order around"
            onClick={() => models.ask({ is_descending: !isTurned })}
          >
            {isTurned ? "↑" : "↓"}
          </button>
        </span>
      </div>
      {note && <div class="fal-nb-quiet">{note}</div>}
      {models.areFiltersOpen.value && <Filters models={models} />}
    </header>
  );
}

/** Words to look for, sent once typing rests. */
function Words({ models }: ModelsProps) {
  const own = useSignal(models.live.field("words").peek() ?? "");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const input = useRef<HTMLInputElement>(null);
  const asked = models.live.field("words").value ?? "";
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // What the kernel looks for now, unless somebody is typing.
    if (input.current !== (input.current?.getRootNode() as Document | ShadowRoot)?.activeElement)
      own.value = asked;
  }, [asked, own]);
  const ask = () => {
    clearTimeout(timer.current);
    if (own.peek() !== models.query.peek().words) models.ask({ words: own.peek() });
  };
  return (
    <input
      ref={input}
      class="fal-nb-cwords"
      type="search"
      placeholder="search: flux, upscale, speech …"
      aria-label="words to look for"
      value={own.value}
      onInput={({ currentTarget }) => {
        own.value = currentTarget.value;
        clearTimeout(timer.current);
        timer.current = setTimeout(ask, WAIT_MS);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") ask();
      }}
    />
  );
}

function Filters({ models }: ModelsProps) {
  const facets = models.live.field("facets").value ?? [];
  const chosen = models.live.field("filters").value ?? {};
  return (
    <div class="fal-nb-cfilters">
      {facets.map(([name, values]) => (
        <fieldset key={name} class="fal-nb-cfacet">
          <legend>{name}</legend>
          {values.map(([value, count]) => {
            const isOn = (chosen[name] ?? []).includes(value);
            return (
              <label key={value} class="fal-nb-cchoice" data-on={isOn} title={value}>
                <input type="checkbox" checked={isOn} onChange={() => models.toggleFilter(name, value)} />
                <span>{value}</span>
                <span class="fal-nb-quiet">{count}</span>
              </label>
            );
          })}
        </fieldset>
      ))}
      {Object.keys(chosen).length > 0 && (
        <button type="button" class="fal-nb-button" onClick={() => models.ask({ filters: {} })}>
          Clear
        </button>
      )}
    </div>
  );
}
