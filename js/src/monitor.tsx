/** The jobs monitor: all open work of all kernels, what it costs, and how to stop it. */

import type { MonitorEvent, MonitorState } from "./lib/monitor_messages";
import { mount } from "./lib/mount";
import type { CleanUp, RenderContext } from "./lib/widget";
import { Head, Notes } from "./monitor/head";
import { Rows } from "./monitor/rows";
import monitorCss from "./monitor.css?inline";

function render(context: RenderContext): CleanUp {
  return mount<MonitorState, MonitorEvent>(context, {
    styles: { monitor: monitorCss },
    isUrgent: (before, after) => before.count !== after.count,
    draw: (live) => ({
      content: (
        <section class="fal-nb-monitor fal-nb-theme" aria-label="open jobs">
          <Head live={live} />
          <Rows live={live} />
          <Notes live={live} />
        </section>
      ),
    }),
  });
}

export default { render };
