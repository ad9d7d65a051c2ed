/** How a view comes into the page and leaves it: its styles, its state, its rest while it is out of sight. */

import { type ComponentChild, render as renderInto } from "preact";
import { keepFocus } from "./focus";
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
  /** Says the last words of the view, before it is taken out of the page. */
  end?: () => void;
  /** Lets go of what the view holds beside its state, once it is out of the page. */
  release?: () => void;
}

interface Options<State extends object, Event> {
  /** Style sheets by name, beside that of the theme. */
  styles: Record<string, string>;
  /** Changes that matter even where nobody sees them. */
  isUrgent?: IsUrgent<State>;
  /** Whether all changes are passed on, seen or not: of a view that goes on working out of sight. */
  isNeverHeld?: boolean;
  /** Whether the focus stays where it is while the front end puts the output anew: of views that are typed into. */
  keepsFocus?: boolean;
  draw: (live: Live<State, Event>) => Drawn;
}

/** Draws a view into `el` and returns how to take it away; safe to be called twice, as some hosts do. */
export function mount<State extends object, Event>(
  { model, el, signal }: RenderContext,
  { styles, isUrgent, isNeverHeld, keepsFocus, draw }: Options<State, Event>,
): CleanUp {
  addStyle(el, "theme", themeCss);
  for (const [name, css] of Object.entries(styles)) addStyle(el, name, css);
  const live = new Live<State, Event>(model, isUrgent);
  const { content, end, release } = draw(live);
  renderInto(content, el);
  const releaseFocus = keepsFocus ? keepFocus(el, live) : undefined;
  const unwatch = isNeverHeld
    ? undefined
    : watchVisible(el.firstElementChild as Element, NEAR_PX, (isNear) => live.hold(!isNear));
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    unwatch?.();
    releaseFocus?.();
    end?.();
    renderInto(null, el);
    live.close();
    release?.();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}
