/** The jobs monitor: all open work of all kernels, what it costs, and how to stop it. */

import { render as renderInto } from "preact";
import { Live } from "./lib/model";
import type { MonitorEvent, MonitorState } from "./lib/monitor_messages";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import { watchVisible } from "./lib/visible";
import type { CleanUp, RenderContext } from "./lib/widget";
import { Head, Notes } from "./monitor/head";
import { Rows } from "./monitor/rows";
import monitorCss from "./monitor.css?inline";

/** A monitor this far out of sight, in pixels, is not kept up to date. */
const NEAR_PX = 400;

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "monitor", monitorCss);
  const live = new Live<MonitorState, MonitorEvent>(model, (before, after) => before.count !== after.count);
  renderInto(
    <section class="fal-nb-monitor fal-nb-theme" aria-label="open jobs">
      <Head live={live} />
      <Rows live={live} />
      <Notes live={live} />
    </section>,
    el,
  );
  const unwatch = watchVisible(el.firstElementChild as Element, NEAR_PX, (isNear) => live.hold(!isNear));
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    unwatch();
    renderInto(null, el);
    live.close();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

export default { render };
