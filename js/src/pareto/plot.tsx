/** The plot: dots for the calls behind, buttons for those on the front, the line, the marks, and what is looked at. */

import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { factsOf } from "../gallery/slides";
import { seconds } from "../lib/format";
import type { ParetoAxis } from "../lib/pareto_messages";
import { along, type ParetoModel, type Points } from "./pareto_model";

export interface ParetoProps {
  pareto: ParetoModel;
}

const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 18;
const TOP = 14;
const BOTTOM = 46;
const NEAR_PX = 14;
const NARROWEST = 280;
const TIP_PX = 220;

type At = readonly [number, number];

interface Placed {
  width: number;
  /** In pixels, by point. */
  at: readonly At[];
  corners: readonly At[];
}

export function Plot({ pareto }: ParetoProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useLayoutEffect(() => follow(frame.current, width), [width]);
  const placed = useComputed((): Placed | undefined => {
    const { x, y, steps } = pareto.live.state.value;
    const points = pareto.points.value;
    if (!points || !x || !y || width.value === 0) return undefined;
    return place(points, x, y, steps ?? [], Math.max(NARROWEST, width.value));
  });
  return (
    <div class="fal-nb-pplot" ref={frame} style={{ height: `${HEIGHT}px` }}>
      {placed.value && <Drawn pareto={pareto} placed={placed.value} />}
      {placed.value && <Tip pareto={pareto} placed={placed.value} />}
    </div>
  );
}

function Drawn({ pareto, placed }: ParetoProps & { placed: Placed }) {
  const points = pareto.points.value as Points;
  const { x, y } = pareto.live.state.value as { x: ParetoAxis; y: ParetoAxis };
  const { width, at, corners } = placed;
  const nearest = (event: MouseEvent): number => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return near(at, event.clientX - box.left, event.clientY - box.top, points);
  };
  // One path for all dots behind: thousands of elements would make every move slow.
  const behind = at.map(([left, top], index) => (points.isBest[index] ? "" : `M${left} ${top}h0`)).join("");
  const active = pareto.active.value;
  const buttons = points.front.includes(active) || active < 0 ? points.front : [...points.front, active];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing is no fieldset
    <svg
      role="group"
      width={width}
      height={HEIGHT}
      aria-label={`${pareto.live.state.value.name}: left and right along the line, with Shift along all points, Enter opens, Space selects, c compares`}
      onMouseMove={(event) => {
        pareto.hovered.value = nearest(event);
      }}
      onMouseLeave={() => {
        pareto.hovered.value = -1;
      }}
      onClick={(event) => {
        const found = nearest(event);
        if (found < 0) return;
        pareto.active.value = found;
        if (event.ctrlKey || event.metaKey || event.shiftKey) pareto.toggle(found);
        else pareto.open(found);
      }}
      onKeyDown={(event) => onKey(event, pareto, points)}
    >
      <Marks x={x} y={y} width={width} />
      <path class="fal-nb-pbehind" d={behind} />
      <path
        class="fal-nb-pline"
        d={corners.map(([left, top], index) => `${index ? "L" : "M"}${left} ${top}`).join("")}
      />
      <Rings pareto={pareto} placed={placed} />
      {buttons.map((index) => (
        <Dot key={index} pareto={pareto} index={index} at={at[index] as At} />
      ))}
    </svg>
  );
}

function Dot({ pareto, index, at: [left, top] }: ParetoProps & { index: number; at: At }) {
  const ref = useRef<SVGCircleElement>(null);
  const points = pareto.points.value as Points;
  const isActive = pareto.active.value === index;
  const place = pareto.place(index);
  const isBest = points.isBest[index] === 1;
  useLayoutEffect(() => {
    // Only after a key: the focus is never taken from elsewhere.
    if (!isActive || !pareto.isStepping) return;
    pareto.isStepping = false;
    ref.current?.focus();
  }, [isActive, pareto]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing holds no buttons of HTML
    <circle
      ref={ref}
      role="button"
      class="fal-nb-pdot"
      data-at={index}
      data-best={isBest}
      cx={left}
      cy={top}
      r={isBest ? 5 : 4}
      tabIndex={isActive ? 0 : -1}
      aria-pressed={place >= 0 && pareto.gallery.selected.value.has(place)}
      aria-label={label(pareto, index)}
      onFocus={() => {
        if (!isActive) pareto.active.value = index;
        pareto.hovered.value = index;
      }}
      onBlur={() => {
        pareto.hovered.value = -1;
      }}
      onKeyDown={() => {}}
    />
  );
}

/** A ring around what is looked at and around each that is selected. */
function Rings({ pareto, placed: { at } }: ParetoProps & { placed: Placed }) {
  const selected = pareto.gallery.selected.value;
  const hovered = pareto.hovered.value;
  const points = pareto.points.value as Points;
  const rings =
    selected.size === 0
      ? []
      : at.flatMap((where, index) => (selected.has(points.places[index] ?? -1) ? [where] : []));
  return (
    <g class="fal-nb-prings">
      {rings.map(([left, top], index) => (
        <circle key={index} cx={left} cy={top} r={9} data-selected="true" />
      ))}
      {at[hovered] && <circle cx={at[hovered]?.[0]} cy={at[hovered]?.[1]} r={8} />}
    </g>
  );
}

function Marks({ x, y, width }: { x: ParetoAxis; y: ParetoAxis; width: number }) {
  const base = HEIGHT - BOTTOM;
  const right = width - RIGHT;
  const middle = (TOP + base) / 2;
  return (
    <g class="fal-nb-pmarks">
      {y.ticks.map(([value, words]) => {
        const top = upwards(y, value);
        return (
          <g key={words}>
            <path d={`M${LEFT} ${top}H${right}`} />
            <text x={LEFT - 8} y={top + 4} text-anchor="end">
              {words}
            </text>
          </g>
        );
      })}
      {spread(x, width).map(([left, words]) => (
        <g key={words}>
          <path class="fal-nb-paxis" d={`M${left} ${base}v4`} />
          <text x={left} y={base + 18} text-anchor="middle">
            {words}
          </text>
        </g>
      ))}
      <path class="fal-nb-paxis" d={`M${LEFT} ${base}H${right}`} />
      <text x={(LEFT + right) / 2} y={HEIGHT - 7} text-anchor="middle">
        {title(x)}
      </text>
      <text x={14} y={middle} text-anchor="middle" transform={`rotate(-90 14 ${middle})`}>
        {title(y)}
      </text>
    </g>
  );
}

/** What is looked at: its small picture, its two numbers, what it is. */
function Tip({ pareto, placed }: ParetoProps & { placed: Placed }) {
  const index = pareto.hovered.value;
  const place = pareto.place(index);
  const item = place < 0 ? undefined : pareto.gallery.item(place).value;
  useEffect(() => {
    if (place >= 0) pareto.gallery.want(place);
  }, [pareto, place]);
  useEffect(() => {
    if (item) pareto.gallery.shelf.thumbs.want(item);
  }, [pareto, item]);
  const where = placed.at[index];
  if (!where) return null;
  const url = item && pareto.gallery.shelf.thumbs.get(item).value;
  const left = Math.min(Math.max(0, where[0] - TIP_PX / 2), Math.max(0, placed.width - TIP_PX));
  const isAbove = where[1] > HEIGHT / 2;
  const side = isAbove ? { bottom: `${HEIGHT - where[1] + 12}px` } : { top: `${where[1] + 12}px` };
  return (
    <div class="fal-nb-ptip" aria-hidden="true" style={{ left: `${left}px`, width: `${TIP_PX}px`, ...side }}>
      {url && <img src={url} alt="" />}
      <div class="fal-nb-pnumbers">{numbers(pareto, index)}</div>
      <div class="fal-nb-pwords">{item ? item.prompt || item.text || item.endpoint : ""}</div>
      <div class="fal-nb-quiet fal-nb-pwords">
        {item ? factsOf(item).slice(0, 3).join(" · ") : `#${pareto.points.value?.records[index] ?? ""}`}
      </div>
    </div>
  );
}

function label(pareto: ParetoModel, index: number): string {
  const points = pareto.points.value as Points;
  const item = pareto.place(index) < 0 ? undefined : pareto.gallery.item(pareto.place(index)).value;
  const parts = [
    `#${points.records[index]}`,
    numbers(pareto, index),
    points.isBest[index] ? "on the line" : "behind",
  ];
  return [...parts, item ? item.prompt || item.endpoint : ""].filter(Boolean).join(", ");
}

function numbers(pareto: ParetoModel, index: number): string {
  const { x, y } = pareto.live.state.value;
  const points = pareto.points.value;
  if (!x || !y || !points) return "";
  return `${words(x, points.x[index] ?? 0)} · ${words(y, points.y[index] ?? 0)}`;
}

function words({ kind, name }: ParetoAxis, value: number): string {
  if (kind === "seconds") return seconds(value);
  if (kind === "money") return `${plain(value, 3)} USD`;
  return `${name} ${plain(value, 6)}`;
}

function plain(value: number, digits: number): string {
  return new Intl.NumberFormat("en", { maximumSignificantDigits: digits }).format(value);
}

function title({ title: words, better }: ParetoAxis): string {
  return `${words} (${better === "low" ? "lower" : "higher"} is better)`;
}

function place(points: Points, x: ParetoAxis, y: ParetoAxis, steps: readonly At[], width: number): Placed {
  const wide = width - LEFT - RIGHT;
  const high = HEIGHT - TOP - BOTTOM;
  const pixel = (value: number) => Math.round(value * 10) / 10;
  const put = ([right, up]: At): At => [pixel(LEFT + right * wide), pixel(TOP + (1 - up) * high)];
  const at = Array.from(points.x, (value, index) => put([along(x, value), along(y, points.y[index] ?? 0)]));
  return { width, at, corners: steps.map(put) };
}

function upwards(y: ParetoAxis, value: number): number {
  return Math.round(TOP + (1 - along(y, value)) * (HEIGHT - TOP - BOTTOM));
}

/** The marks of the lower axis that have room beside each other. */
function spread(x: ParetoAxis, width: number): [number, string][] {
  const found: [number, string][] = [];
  let free = Number.NEGATIVE_INFINITY;
  for (const [value, words] of x.ticks) {
    const left = Math.round(LEFT + along(x, value) * (width - LEFT - RIGHT));
    const half = words.length * 3.5 + 4;
    if (left - half < free) continue;
    found.push([left, words]);
    free = left + half;
  }
  return found;
}

/** The nearest point to a place in pixels; those on the front first where both are near. */
function near(at: readonly At[], left: number, top: number, points: Points): number {
  let found = -1;
  let least = NEAR_PX;
  for (let index = 0; index < at.length; index += 1) {
    const [x, y] = at[index] as At;
    const distance = Math.hypot(x - left, y - top) - (points.isBest[index] ? 2 : 0);
    if (distance < least) {
      least = distance;
      found = index;
    }
  }
  return found;
}

function onKey(event: KeyboardEvent, pareto: ParetoModel, points: Points): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const active = pareto.active.peek();
  const next = stepped(event.key, event.shiftKey, active, points);
  const place = pareto.place(active);
  if (next !== undefined) {
    pareto.isStepping = next !== active;
    pareto.active.value = next;
  } else if (event.key === "Enter") pareto.open(active);
  else if (event.key === " ") pareto.toggle(active);
  else if (event.key === "c") pareto.compare();
  else if (event.key === "Escape") pareto.hovered.value = -1;
  else if (/^[0-5]$/.test(event.key) && place >= 0)
    pareto.gallery.rate(pareto.gallery.meant(place), Number(event.key) || null);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function stepped(key: string, isAll: boolean, active: number, { front, x }: Points): number | undefined {
  const last = x.length - 1;
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[key];
  if (key === "Home") return isAll ? 0 : front[0];
  if (key === "End") return isAll ? last : front.at(-1);
  if (step === undefined) return undefined;
  if (isAll) return Math.min(last, Math.max(0, active + step));
  const onward =
    step > 0 ? front.find((each) => each > active) : front.filter((each) => each < active).at(-1);
  return onward ?? active;
}

function follow(frame: HTMLElement | null, width: Signal<number>): (() => void) | undefined {
  if (!frame) return undefined;
  const measure = () => {
    if (frame.clientWidth > 0) width.value = frame.clientWidth;
  };
  measure();
  if (typeof ResizeObserver === "undefined") {
    if (width.value === 0) width.value = 800;
    return undefined;
  }
  const observer = new ResizeObserver(measure);
  observer.observe(frame);
  return () => observer.disconnect();
}
