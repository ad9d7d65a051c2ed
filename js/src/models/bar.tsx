/** Above the cards: how many there are, words to look for, filters, order. */

import { Simulated } from "../lib/simulated";
import { Words } from "../lib/words";
import type { ModelsProps } from "./models_model";

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
        <Simulated backend={live.field("backend").value} what="served" />
        <span class="fal-nb-ctools">
          <Words
            class="fal-nb-cwords"
            placeholder="search: flux, upscale, speech …"
            asked={live.field("words")}
            ask={(words) => models.ask({ words })}
            live={live}
          />
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
