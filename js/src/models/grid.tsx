/** The window of cards: all of one height, of which only those in sight are in the page. */

import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { followScroller } from "../lib/scroller";
import { Card } from "./card";
import type { ModelsModel, ModelsProps } from "./models_model";

const CARD_HEIGHT = 218;
export const GAP = 10;
const NARROWEST = 190;
const HEIGHT = 560;
const BEYOND = 1;

export interface Shape {
  columns: number;
  width: number;
}

/** How many cards stand side by side in a width, and how wide each is. */
export function shapeOf(width: number): Shape {
  const columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
  return { columns, width: (width - GAP * (columns - 1)) / columns };
}

export function Grid({ models }: ModelsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const shape = useComputed(() => shapeOf(Math.max(width.value, 120)));
  useLayoutEffect(
    () => followScroller(scroller.current, models.scroll, { width, usual: 900 }),
    [models, width],
  );
  const order = models.order.value;
  const { columns, width: wide } = shape.value;
  const rows = Math.ceil((order?.length ?? 0) / columns);
  const height = Math.max(0, rows * (CARD_HEIGHT + GAP) - GAP);
  const first = Math.max(0, Math.floor(models.scroll.value / (CARD_HEIGHT + GAP)) - BEYOND);
  const end = Math.min(rows, Math.ceil((models.scroll.value + HEIGHT) / (CARD_HEIGHT + GAP)) + BEYOND);
  const shown = width.value > 0 && order ? [...order.subarray(first * columns, end * columns)] : [];
  const isEmpty = order !== undefined && order.length === 0;
  return (
    <div
      class="fal-nb-cscroll"
      ref={scroller}
      style={{ height: `${isEmpty ? 72 : Math.min(HEIGHT, Math.max(height, CARD_HEIGHT))}px` }}
      onScroll={({ currentTarget }) => {
        models.scroll.value = Math.max(0, currentTarget.scrollTop);
      }}
    >
      {isEmpty && <div class="fal-nb-cempty">no model passes: fewer words, or other filters</div>}
      <ul
        class="fal-nb-csheet"
        aria-label="models: arrows move, Enter looks closer"
        style={{ height: `${height}px` }}
        onKeyDown={(event) => onKey(event, models, columns, scroller.current)}
      >
        {shown.map((place, index) => {
          const at = first * columns + index;
          const left = (at % columns) * (wide + GAP);
          const top = Math.floor(at / columns) * (CARD_HEIGHT + GAP);
          return (
            <Card
              key={place}
              models={models}
              at={at}
              place={place}
              style={`transform:translate(${left}px,${top}px);width:${wide}px;height:${CARD_HEIGHT}px`}
            />
          );
        })}
      </ul>
    </div>
  );
}

function onKey(
  event: KeyboardEvent,
  models: ModelsModel,
  columns: number,
  scroller: HTMLElement | null,
): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = models.active.peek();
  const last = models.count - 1;
  const steps: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: last,
  };
  if (event.key === "Escape" && models.opened.peek() >= 0) {
    event.stopPropagation();
    models.close();
    return;
  }
  const next = steps[event.key];
  if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  models.active.value = Math.min(last, Math.max(0, next));
  const top = Math.floor(models.active.peek() / columns) * (CARD_HEIGHT + GAP);
  if (!scroller?.clientHeight) return;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + CARD_HEIGHT > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = top + CARD_HEIGHT - scroller.clientHeight;
}
