/** Where the axes lie, by menus or by dragging; sorting, hiding, sizes, and what is done with selected cells. */

import { useSignal } from "@preact/signals";
import type { Axis } from "../lib/board_messages";
import type { HideRule } from "./arrange";
import { type BoardModel, type BoardProps, SIZES, type Size } from "./board_model";
import { compareSelected } from "./comparing";
import { move, PLACES, type Place, swapped } from "./layout";
import { stepOf } from "./step";

const PLACE_WORDS: Record<Place, string> = {
  rows: "Rows",
  columns: "Columns",
  superRows: "Row groups",
  superColumns: "Column groups",
};
const DRAG_TYPE = "application/x-fal-nb-axis";

export function AxesBar({ board }: BoardProps) {
  const count = board.axes.value.length;
  const places = PLACES.slice(0, count <= 2 ? 2 : 4);
  return (
    <div class="fal-nb-bbars">
      {count > 0 && (
        <div class="fal-nb-bline fal-nb-baxes">
          {places.map((place) => (
            <Slot key={place} board={board} place={place} />
          ))}
          {count > 1 && (
            <button
              type="button"
              class="fal-nb-button"
              data-action="swap"
              title="swap rows and columns"
              aria-label="swap rows and columns"
              onClick={() => {
                board.wanted.value = swapped(board.placement.value);
              }}
            >
              ⇄
            </button>
          )}
          {board.pickers.value.map((axis) => (
            <Picker key={axis.name} board={board} axis={axis} />
          ))}
        </div>
      )}
      <div class="fal-nb-bline fal-nb-btools">
        <SortMenu board={board} />
        <HideMenu board={board} />
        <SizeMenu board={board} />
        <PlayAll board={board} />
        <Selection board={board} />
      </div>
    </div>
  );
}

function Slot({ board, place }: BoardProps & { place: Place }) {
  const name = board.placement.value[place];
  const isOver = useSignal(false);
  const put = (axis: string | undefined) => {
    board.wanted.value = move(board.placement.value, axis, place);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging is beside the menu, which does the same by keyboard
    <span
      class="fal-nb-slot"
      data-place={place}
      data-over={isOver.value}
      draggable={name !== undefined}
      onDragStart={(event) => startDrag(event, name)}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes(DRAG_TYPE)) return;
        event.preventDefault();
        event.stopPropagation();
        isOver.value = true;
      }}
      onDragLeave={() => {
        isOver.value = false;
      }}
      onDrop={(event) => {
        isOver.value = false;
        const axis = event.dataTransfer?.getData(DRAG_TYPE);
        if (!axis || !board.axis(axis)) return;
        event.preventDefault();
        event.stopPropagation();
        put(axis);
      }}
    >
      <label>
        <span>{PLACE_WORDS[place]}</span>
        <select value={name ?? ""} onChange={(event) => put(event.currentTarget.value || undefined)}>
          <option value="">–</option>
          {board.axes.value.map((axis) => (
            <option key={axis.name} value={axis.name}>
              {axis.name}
            </option>
          ))}
        </select>
      </label>
    </span>
  );
}

function Picker({ board, axis }: BoardProps & { axis: Axis }) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging is beside the menus
    <span
      class="fal-nb-slot"
      data-picker={axis.name}
      draggable
      onDragStart={(event) => startDrag(event, axis.name)}
    >
      <label>
        <span>{axis.name}</span>
        <select
          value={String(board.pickedOf(axis))}
          onChange={(event) => {
            board.picked.value = { ...board.picked.value, [axis.name]: Number(event.currentTarget.value) };
          }}
        >
          {axis.labels.map((label, at) => (
            <option key={at} value={String(at)}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </span>
  );
}

function startDrag(event: DragEvent, name: string | undefined): void {
  if (!name || !event.dataTransfer) return;
  event.stopPropagation();
  event.dataTransfer.setData(DRAG_TYPE, name);
  event.dataTransfer.effectAllowed = "move";
}

function SortMenu({ board }: BoardProps) {
  const sort = board.sort.value;
  return (
    <label class="fal-nb-tool" data-tool="sort">
      <span>Sort by</span>
      <select
        value={sort ? `${sort.isDescending ? "-" : "+"}${sort.column}` : ""}
        onChange={({ currentTarget: { value } }) => {
          board.sort.value = value ? { column: value.slice(1), isDescending: value[0] === "-" } : undefined;
        }}
      >
        <option value="">axes</option>
        {board.columns.value.flatMap(({ id, name }) => [
          <option key={`+${id}`} value={`+${id}`}>
            {name} ↑
          </option>,
          <option key={`-${id}`} value={`-${id}`}>
            {name} ↓
          </option>,
        ])}
      </select>
    </label>
  );
}

function HideMenu({ board }: BoardProps) {
  const rule = board.rule.value;
  const change = (part: Partial<HideRule>) => {
    board.rule.value = { column: "cost", is: "missing", value: Number.NaN, ...rule, ...part };
  };
  return (
    <span class="fal-nb-tool" data-tool="hide">
      <label>
        <span>Hide by</span>
        <select
          value={rule?.column ?? ""}
          onChange={({ currentTarget: { value } }) => {
            if (value) change({ column: value });
            else board.rule.value = undefined;
          }}
        >
          <option value="">nothing</option>
          {board.columns.value.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {rule && (
        <select
          aria-label="hidden where it is"
          value={rule.is}
          onChange={({ currentTarget: { value } }) => change({ is: value as HideRule["is"] })}
        >
          <option value="missing">missing</option>
          <option value="below">below</option>
          <option value="above">above</option>
        </select>
      )}
      {rule && rule.is !== "missing" && (
        <input
          type="number"
          step="any"
          aria-label="limit"
          value={Number.isFinite(rule.value) ? rule.value : ""}
          onInput={({ currentTarget: { value } }) =>
            change({ value: value === "" ? Number.NaN : Number(value) })
          }
        />
      )}
    </span>
  );
}

function SizeMenu({ board }: BoardProps) {
  return (
    <label class="fal-nb-tool" data-tool="size">
      <span>Size</span>
      <select
        value={board.size.value}
        onChange={({ currentTarget: { value } }) => {
          board.size.value = value as Size;
        }}
      >
        {Object.keys(SIZES).map((size) => (
          <option key={size} value={size}>
            {size}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Only where there is something that plays. */
function PlayAll({ board }: BoardProps) {
  const step = stepOf(board);
  const hasFilms = board.cells.value.some(
    ({ output }) => output?.kind === "video" || output?.kind === "audio",
  );
  if (!hasFilms) return null;
  return (
    <button
      type="button"
      class="fal-nb-button"
      aria-pressed={step.isWanted.value}
      onClick={() => {
        step.isWanted.value = !step.isWanted.value;
      }}
    >
      {step.isWanted.value ? "❚❚ Stop all" : "▶ Play all in step"}
    </button>
  );
}

function Selection({ board }: BoardProps) {
  const selected = board.selected.value.filter((place) => board.cell(place));
  return (
    <span class="fal-nb-bselection">
      {selected.length > 0 && (
        <button type="button" class="fal-nb-button" onClick={() => clear(board)}>
          Clear
        </button>
      )}
      <button
        type="button"
        class="fal-nb-button fal-nb-primary"
        data-action="compare"
        disabled={selected.length < 2}
        title={selected.length < 2 ? "select two to four cells first, or press c on two of them" : undefined}
        onClick={() => compareSelected(board)}
      >
        Compare{selected.length > 0 ? ` (${selected.length})` : ""}
      </button>
    </span>
  );
}

function clear(board: BoardModel): void {
  board.selected.value = [];
}
