/** How a view comes into the page and leaves it: its styles, its state, its rest while it is out of sight. */

import { type ComponentChild, render as renderInto } from "preact";
import { type IsUrgent, Live } from "./model";
import { addStyle } from "./style";
import themeCss from "./theme.css?inline";
import { watchVisible } from "./visible";
import type { CleanUp, RenderContext } from "./widget";

/** A view this far out of sight, in pixels, is not kept up to date. */
const NEAR_PX = 400;

interface Drawn {
  /** One element. */
  content: ComponentChild;
  /** Lets go of what the view holds beside its state. */
  release?: () => void;
}

interface Options<State extends object, Event> {
  name: string;
  css: string;
  /** Changes that matter even where nobody sees them. */
  isUrgent?: IsUrgent<State>;
  draw: (live: Live<State, Event>) => Drawn;
}

/** Draws a view into `el` and returns how to take it away; safe to be called twice, as some hosts do. */
export function mount<State extends object, Event>(
  { model, el, signal }: RenderContext,
  { name, css, isUrgent, draw }: Options<State, Event>,
): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, name, css);
  const live = new Live<State, Event>(model, isUrgent);
  const { content, release } = draw(live);
  renderInto(content, el);
  const unwatch = watchVisible(el.firstElementChild as Element, NEAR_PX, (isNear) => live.hold(!isNear));
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    unwatch();
    renderInto(null, el);
    live.close();
    release?.();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}
