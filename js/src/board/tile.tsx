/** One cell: its picture, film, sound or text, or why there is none. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { money, seconds } from "../lib/format";
import type { BoardModel, BoardProps } from "./board_model";
import { type Cell, labelsOf } from "./cells";
import { compareWith } from "./comparing";
import { CELL_WORDS } from "./header";
import { Player } from "./player";
import { stepOf } from "./step";

interface TileProps extends BoardProps {
  cell: Cell | undefined;
  row: number;
  column: number;
  isActive: boolean;
  isFlow: boolean;
  style: string;
  onOpen: () => void;
}

export function Tile({ board, cell, row, column, isActive, isFlow, style, onOpen }: TileProps) {
  const ref = useRef<HTMLDivElement>(null);
  const isOver = useSignal(false);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!isActive || !el) return;
    const root = el.getRootNode() as Document | ShadowRoot;
    // Only where the focus is in the grid already: a board never takes it from elsewhere.
    if (root.activeElement?.closest(".fal-nb-bsheet") === el.closest(".fal-nb-bsheet")) {
      el.focus({ preventScroll: true });
    }
  }, [isActive]);
  useEffect(() => {
    if (cell) board.shelf.thumbs.want(cell);
  }, [board, cell]);
  if (!cell) {
    return (
      // biome-ignore lint/a11y/useSemanticElements: a placed tile cannot be a table's cell
      <div
        ref={ref}
        role="gridcell"
        aria-colindex={column + 1}
        class="fal-nb-btile"
        data-state="MISSING"
        data-size={board.size.value}
        tabIndex={isActive ? 0 : -1}
        style={style}
      >
        <div class="fal-nb-tbox">
          <span class="fal-nb-treason">no such call</span>
        </div>
      </div>
    );
  }
  const isSelected = board.selected.value.includes(cell.place);
  const isHidden = board.isHidden(cell);
  const label = labelsOf(board.axes.value, cell);
  return (
    // biome-ignore lint/a11y/useSemanticElements: as above
    <div
      ref={ref}
      role="gridcell"
      aria-colindex={column + 1}
      aria-selected={isSelected}
      class="fal-nb-btile"
      data-state={cell.state}
      data-size={board.size.value}
      data-hidden={isHidden}
      tabIndex={isActive ? 0 : -1}
      style={style}
      title={cell.reason ? `${label}\n${cell.reason}` : label}
      onBlur={() => {
        isOver.value = false;
      }}
      onFocus={() => {
        isOver.value = true;
        if (!isActive) board.active.value = { row, column };
      }}
      onMouseEnter={() => {
        isOver.value = true;
      }}
      onMouseLeave={() => {
        isOver.value = false;
      }}
      onClick={(event) => {
        if (event.shiftKey || event.ctrlKey || event.metaKey) board.toggle(cell.place);
        else if (!isHidden) onOpen();
      }}
      onKeyDown={() => {}}
    >
      <span class="fal-nb-spoken">
        {label}: {spoken(cell)}
      </span>
      <div class="fal-nb-tbox">
        {isHidden ? (
          <span class="fal-nb-treason">hidden</span>
        ) : (
          <Inside board={board} cell={cell} isOver={isOver.value} alt={label} />
        )}
        {!isHidden && <Badges cell={cell} />}
        {!isHidden && cell.output && <CompareChip board={board} cell={cell} />}
        <Check board={board} cell={cell} isSelected={isSelected} />
      </div>
      {isFlow && <div class="fal-nb-tcaption">{label}</div>}
      <Caption board={board} cell={cell} />
    </div>
  );
}

function Inside({ board, cell, isOver, alt }: BoardProps & { cell: Cell; isOver: boolean; alt: string }) {
  if (cell.state !== "SUCCEEDED") return <Waiting board={board} cell={cell} />;
  const { output } = cell;
  if (output?.kind === "video" || output?.kind === "audio") {
    return <Playing board={board} cell={cell} isOver={isOver} alt={alt} />;
  }
  if (output?.kind === "image" || (output?.kind === "mesh" && board.shelf.thumbs.get(cell).value)) {
    return <Thumbnail board={board} cell={cell} />;
  }
  return <span class="fal-nb-ttext">{cell.text || output?.kind || "done"}</span>;
}

function Thumbnail({ board, cell }: BoardProps & { cell: Cell }) {
  const url = board.shelf.thumbs.get(cell).value;
  return url ? <img src={url} alt="" draggable={false} decoding="async" /> : null;
}

function Playing({ board, cell, isOver, alt }: BoardProps & { cell: Cell; isOver: boolean; alt: string }) {
  const isOn = useSignal(false);
  return (
    <Player
      media={board.shelf.media}
      output={cell.output as NonNullable<Cell["output"]>}
      poster={board.shelf.thumbs.get(cell).value}
      alt={alt}
      mark="fal-nb-tplay"
      isOver={isOver}
      isOn={isOn.value}
      setOn={(value) => {
        isOn.value = value;
      }}
      step={stepOf(board)}
    />
  );
}

/** What an open cell is doing, or why there is nothing to see. */
function Waiting({ board, cell }: BoardProps & { cell: Cell }) {
  const isOpen = cell.state === "RUNNING" || cell.state === "QUEUED" || cell.state === "SUBMITTING";
  const percent = cell.progress === undefined ? "" : ` ${Math.round(cell.progress * 100)} %`;
  return (
    <>
      <span class="fal-nb-tstate" data-state={cell.state}>
        <i class="fal-nb-dot" aria-hidden="true" />
        {CELL_WORDS[cell.state]}
        {cell.state === "RUNNING" && percent}
      </span>
      {cell.reason && <span class="fal-nb-treason">{cell.reason}</span>}
      {cell.state === "UNKNOWN" && !cell.reason && (
        <span class="fal-nb-treason">sent, answer lost; may have been charged</span>
      )}
      {isOpen && (
        <button
          type="button"
          class="fal-nb-tcancel"
          tabIndex={-1}
          aria-label="cancel this cell"
          title="cancel this cell"
          onClick={(event) => {
            event.stopPropagation();
            board.shelf.send({ kind: "cancel-cell", cell: cell.place });
          }}
        >
          ×
        </button>
      )}
      {cell.state === "RUNNING" && (
        <span class="fal-nb-tbar" data-known={cell.progress !== undefined}>
          <span style={{ transform: `scaleX(${cell.progress ?? 1})` }} />
        </span>
      )}
    </>
  );
}

function Badges({ cell }: { cell: Cell }) {
  const mark = cell.output?.kind === "video" ? "▶" : cell.output?.kind === "audio" ? "♪" : "";
  const length = mark ? seconds(cell.output?.duration_s) : "";
  return (
    <span class="fal-nb-tbadges">
      {cell.isFromMemo && <span title="from the history, nothing was sent">memo</span>}
      {mark && cell.state === "SUCCEEDED" && (
        <span>
          {mark} {length}
        </span>
      )}
      {cell.outputs > 1 && (
        <span title={`${cell.outputs} files, the first is shown`}>+{cell.outputs - 1}</span>
      )}
    </span>
  );
}

/** The first one keeps its cell, the second one opens the comparison of both. */
function CompareChip({ board, cell }: BoardProps & { cell: Cell }) {
  const { value: selected } = board.selected;
  const isKept = selected.includes(cell.place);
  const words = isKept && selected.length === 1 ? "comparing…" : "compare";
  return (
    <button
      type="button"
      class="fal-nb-tcompare"
      tabIndex={-1}
      data-kept={isKept}
      title="compare (c): choose this one, then another"
      onClick={(event) => {
        event.stopPropagation();
        compareWith(board, cell.place);
      }}
    >
      {words}
    </button>
  );
}

function Check({ board, cell, isSelected }: BoardProps & { cell: Cell; isSelected: boolean }) {
  return (
    <input
      type="checkbox"
      class="fal-nb-tcheck"
      tabIndex={-1}
      aria-label="select"
      checked={isSelected}
      onClick={(event) => event.stopPropagation()}
      onChange={() => board.toggle(cell.place)}
    />
  );
}

function Caption({ board, cell }: BoardProps & { cell: Cell }) {
  const sort = board.sort.value;
  const column = sort && board.columns.value.find(({ id }) => id === sort.column);
  const value = column?.value(cell);
  const isOwn = column && column.id !== "cost" && column.id !== "time" && column.id !== "rating";
  const parts = captionParts(board, cell);
  if (isOwn && value !== undefined) parts.unshift(`${column.name} ${column.words(value, null)}`);
  return <div class="fal-nb-tcaption fal-nb-tfacts">{parts.join(" · ")}</div>;
}

function captionParts(board: BoardModel, cell: Cell): string[] {
  const currency = board.live.field("currency").value;
  const cost = cell.isFromMemo ? "" : money(cell.cost, currency).split(" ")[0];
  return [seconds(cell.seconds), cost, "★".repeat(cell.rating ?? 0)].filter((part): part is string =>
    Boolean(part),
  );
}

/** What is seen of a cell without being written in it; the rest of its name is its own text. */
function spoken(cell: Cell): string {
  const parts = cell.state === "SUCCEEDED" ? [CELL_WORDS[cell.state]] : [];
  if (cell.rating) parts.push(`rated ${cell.rating}`);
  return parts.join(", ");
}
