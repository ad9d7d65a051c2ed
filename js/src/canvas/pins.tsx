/** The frames that were pinned: each a record of the history, to be rated, copied and written as a cell. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Pin } from "../lib/canvas_messages";
import type { CanvasModel, CanvasProps } from "./canvas_model";

interface PinsProps extends CanvasProps {
  /** Writes the cell into the notebook, and says whether that was possible; nothing where the host lets nobody. */
  insert?: (source: string) => boolean;
}

const RATINGS = [1, 2, 3, 4, 5];

export function Pins({ model, insert }: PinsProps) {
  const pins = model.canvas.field("pins").value ?? [];
  const said = useSignal("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  if (pins.length === 0) return null;
  const say = (words: string) => {
    said.value = words;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      said.value = "";
    }, 2500);
  };
  return (
    <div class="fal-nb-cpins">
      <div class="fal-nb-quiet">
        {pins.length === 1 ? "1 frame" : `${pins.length} frames`} in the history{" "}
        <span role="status">{said.value && `· ${said.value}`}</span>
      </div>
      <ul aria-label="pinned frames">
        {[...pins].reverse().map((pin) => (
          <Pinned key={pin.record} model={model} pin={pin} insert={insert} say={say} />
        ))}
      </ul>
    </div>
  );
}

interface PinnedProps {
  model: CanvasModel;
  pin: Pin;
  insert?: (source: string) => boolean;
  say: (words: string) => void;
}

function Pinned({ model, pin, insert, say }: PinnedProps) {
  const url = model.pinned.value.get(pin.record);
  const cell = readCell(pin.cell);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(cell);
      say(`the call of #${pin.record} is copied`);
    } catch {
      say(`fal.copy_as(${pin.record}, "magic") gives the call`);
    }
  };
  return (
    <li data-record={pin.record}>
      {url ? <img src={url} alt={`frame pinned as #${pin.record}`} /> : <span class="fal-nb-cblank" />}
      <span class="fal-nb-cpinned">
        <strong>#{pin.record}</strong>
        <select
          aria-label={`rating of #${pin.record}`}
          value={String(pin.rating ?? "")}
          onChange={(event) => {
            const { value } = event.currentTarget;
            model.canvas.send({
              kind: "rate",
              record: pin.record,
              rating: value === "" ? null : Number(value),
            });
          }}
        >
          <option value="">not rated</option>
          {RATINGS.map((rating) => (
            <option key={rating} value={String(rating)}>
              {"★".repeat(rating)}
            </option>
          ))}
        </select>
        <button type="button" class="fal-nb-flink" disabled={!cell} onClick={() => void copy()}>
          copy
          <span class="fal-nb-spoken"> the call of #{pin.record}</span>
        </button>
        {insert && cell && (
          <button
            type="button"
            class="fal-nb-flink"
            onClick={() => {
              if (insert(cell)) say("written below");
              else void copy();
            }}
          >
            write cell
            <span class="fal-nb-spoken"> of #{pin.record}</span>
          </button>
        )}
      </span>
    </li>
  );
}

function readCell(text: string): string {
  try {
    const cell = JSON.parse(text);
    return typeof cell === "string" ? cell : "";
  } catch {
    return "";
  }
}
