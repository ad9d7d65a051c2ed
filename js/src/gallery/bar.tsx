/** Above the pictures: what they are, words to look for, filters, order, size; below: what to do with the selected. */

import { useSignal } from "@preact/signals";
import type { FilterValue } from "../lib/gallery_messages";
import { Simulated } from "../lib/simulated";
import { Words } from "../lib/words";
import { compareSelected } from "./comparing";
import { type GalleryProps, MOST_COMPARED, SIZES, type Size } from "./gallery_model";
import { Keys } from "./keys";

const SORT_WORDS: Record<string, string> = { created: "newest", total_s: "time", rating: "rating" };

export function Bar({ gallery }: GalleryProps) {
  const { live } = gallery;
  const [matching, count] = [live.field("matching").value ?? 0, live.field("count").value ?? 0];
  const told =
    count === 0
      ? "no outputs"
      : matching === count
        ? `${count.toLocaleString("en")} ${count === 1 ? "output" : "outputs"}`
        : `${matching.toLocaleString("en")} of ${count.toLocaleString("en")}`;
  const chosen = Object.values(live.field("filters").value ?? {}).flat().length;
  const isDown = live.field("is_descending").value ?? true;
  return (
    <header class="fal-nb-ghead">
      <div class="fal-nb-gline">
        <strong>{live.field("name").value}</strong>
        <span class="fal-nb-quiet" role="status" aria-live="polite">
          {told}
        </span>
        <Simulated backend={live.field("backend").value} />
        <span class="fal-nb-gtools">
          <Words
            class="fal-nb-gwords"
            placeholder="search prompts, notes, endpoints"
            asked={live.field("words")}
            ask={(words) => gallery.ask({ words })}
            live={live}
          />
          <button
            type="button"
            class="fal-nb-button"
            aria-expanded={gallery.areFiltersOpen.value}
            onClick={() => {
              gallery.areFiltersOpen.value = !gallery.areFiltersOpen.value;
            }}
          >
            {chosen > 0 ? `Filters (${chosen})` : "Filters"}
          </button>
          <select
            class="fal-nb-select"
            aria-label="order"
            value={live.field("sort").value}
            onChange={({ currentTarget }) => gallery.ask({ sort: currentTarget.value })}
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
            aria-label={isDown ? "largest first" : "smallest first"}
            title={isDown ? "largest first" : "smallest first"}
            onClick={() => gallery.ask({ is_descending: !isDown })}
          >
            {isDown ? "↓" : "↑"}
          </button>
          <select
            class="fal-nb-select"
            aria-label="size"
            value={gallery.size.value}
            onChange={({ currentTarget }) => {
              gallery.size.value = currentTarget.value as Size;
            }}
          >
            {Object.keys(SIZES).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="fal-nb-button"
            aria-label="keys"
            title="keys (?)"
            aria-expanded={gallery.areKeysShown.value}
            onClick={() => {
              gallery.areKeysShown.value = !gallery.areKeysShown.value;
            }}
          >
            ?
          </button>
        </span>
      </div>
      {live.field("left_out").value && (
        <p class="fal-nb-gleft" role="note">
          {live.field("left_out").value}
        </p>
      )}
      {gallery.areFiltersOpen.value && <Filters gallery={gallery} />}
      <Keys gallery={gallery} />
      {live.field("error").value && (
        <div class="fal-nb-gerror" role="alert">
          {live.field("error").value}
        </div>
      )}
    </header>
  );
}

function Filters({ gallery }: GalleryProps) {
  const facets = gallery.live.field("facets").value ?? [];
  const filters = gallery.live.field("filters").value ?? {};
  return (
    <div class="fal-nb-gfilters">
      {facets.length === 0 && <span class="fal-nb-quiet">nothing to tell these apart by</span>}
      {facets.map(([name, values]) => (
        <fieldset key={name} class="fal-nb-gfacet">
          <legend>{name}</legend>
          {values.map(([value, count]) => (
            <Choice
              key={`${typeof value} ${value}`}
              gallery={gallery}
              name={name}
              value={value}
              count={count}
              isOn={(filters[name] ?? []).includes(value)}
            />
          ))}
        </fieldset>
      ))}
      {!gallery.isExport && (
        <label class="fal-nb-gchoice">
          <input
            type="checkbox"
            checked={gallery.live.field("with_hidden").value ?? false}
            onChange={({ currentTarget }) => gallery.ask({ with_hidden: currentTarget.checked })}
          />
          show hidden ones
        </label>
      )}
      {Object.keys(filters).length > 0 && (
        <button type="button" class="fal-nb-button" onClick={() => gallery.ask({ filters: {} })}>
          Clear filters
        </button>
      )}
    </div>
  );
}

interface ChoiceProps extends GalleryProps {
  name: string;
  value: FilterValue;
  count: number;
  isOn: boolean;
}

function Choice({ gallery, name, value, count, isOn }: ChoiceProps) {
  return (
    <label class="fal-nb-gchoice" data-on={isOn} title={`${name}: ${value}`}>
      <input type="checkbox" checked={isOn} onChange={() => gallery.toggleFilter(name, value)} />
      <span>{name === "rating" ? "★".repeat(Number(value)) || "0" : String(value)}</span>
      <span class="fal-nb-quiet">{count.toLocaleString("en")}</span>
    </label>
  );
}

/** What to do with what is selected; nothing where nothing is. */
export function Actions({ gallery }: GalleryProps) {
  const places = [...gallery.selected.value];
  const { live, notice } = gallery;
  if (places.length === 0) {
    return (
      <footer class="fal-nb-gfoot fal-nb-quiet">
        <span role="status">
          {notice.value || "click opens, Ctrl or Shift and click selects, ? tells the keys"}
        </span>
      </footer>
    );
  }
  return (
    <footer class="fal-nb-gfoot">
      <strong>{places.length.toLocaleString("en")} selected</strong>
      <button
        type="button"
        class="fal-nb-button"
        disabled={places.length < 2 || places.length > MOST_COMPARED}
        title={`for 2 to ${MOST_COMPARED}`}
        onClick={() => compareSelected(gallery)}
      >
        Compare
      </button>
      {!gallery.isExport && <Marks gallery={gallery} places={places} />}
      <button type="button" class="fal-nb-button" onClick={() => live.send({ kind: "select", all: true })}>
        Select all
      </button>
      <button type="button" class="fal-nb-button" onClick={() => live.send({ kind: "select", none: true })}>
        Clear
      </button>
      <span class="fal-nb-quiet" role="status">
        {notice.value}
      </span>
    </footer>
  );
}

/** What a person writes on what is selected. */
function Marks({ gallery, places }: GalleryProps & { places: number[] }) {
  const tag = useSignal("");
  const { live } = gallery;
  const areHidden = places.every((place) => gallery.item(place).value?.isHidden);
  const send = (on: boolean) => {
    const words = tag.value.trim();
    if (words) live.send({ kind: "tag", cells: places, tag: words, on });
    tag.value = "";
  };
  return (
    <>
      <span class="fal-nb-gstars">
        {[1, 2, 3, 4, 5].map((rating) => (
          <button
            key={rating}
            type="button"
            aria-label={`rate ${rating}`}
            title={`rate ${rating}`}
            onClick={() => gallery.rate(places, rating)}
          >
            ★
          </button>
        ))}
      </span>
      <input
        class="fal-nb-gtag"
        placeholder="tag"
        aria-label="tag"
        value={tag.value}
        onInput={({ currentTarget }) => {
          tag.value = currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") send(true);
        }}
      />
      <button type="button" class="fal-nb-button" disabled={!tag.value.trim()} onClick={() => send(true)}>
        Tag
      </button>
      <button type="button" class="fal-nb-button" disabled={!tag.value.trim()} onClick={() => send(false)}>
        Untag
      </button>
      <button type="button" class="fal-nb-button" onClick={() => gallery.hide(places, !areHidden)}>
        {areHidden ? "Show again" : "Hide"}
      </button>
    </>
  );
}
