/** Calls against two numbers: which ones no other beats, as a line through a plot whose points open. */

import { render as renderInto } from "preact";
import { shelfOf } from "./board/shelf";
import type { GalleryEvent } from "./lib/gallery_messages";
import { Live } from "./lib/model";
import type { ParetoMessage, ParetoState } from "./lib/pareto_messages";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import { watchVisible } from "./lib/visible";
import type { CleanUp, RenderContext } from "./lib/widget";
import { ParetoModel } from "./pareto/pareto_model";
import { type ParetoProps, Plot } from "./pareto/plot";
import paretoCss from "./pareto.css?inline";

/** A plot this far out of sight, in pixels, is not kept up to date. */
const NEAR_PX = 400;

function Head({ pareto }: ParetoProps) {
  const { name, best, count, backend } = pareto.live.state.value;
  const selected = pareto.gallery.selected.value.size;
  return (
    <header class="fal-nb-phead">
      <strong>{name}</strong>
      <span class="fal-nb-quiet">
        {`${(best ?? 0).toLocaleString("en")} of ${(count ?? 0).toLocaleString("en")} calls ${best === 1 ? "is" : "are"} beaten by no other`}
      </span>
      {backend === "simulator" && (
        <span class="fal-nb-badge" title="made by the local simulator, not by fal; nothing is billed">
          simulated
        </span>
      )}
      <span class="fal-nb-ptools">
        <span class="fal-nb-quiet" role="status" aria-live="polite">
          {pareto.gallery.notice.value || (selected > 0 ? `${selected} selected` : "")}
        </span>
        <button
          type="button"
          class="fal-nb-button"
          disabled={selected === 0}
          onClick={() => pareto.gallery.live.send({ kind: "select", none: true })}
        >
          Clear
        </button>
        <button type="button" class="fal-nb-button" disabled={selected < 2} onClick={() => pareto.compare()}>
          Compare
        </button>
      </span>
    </header>
  );
}

function Notes({ pareto }: ParetoProps) {
  const { told, error } = pareto.live.state.value;
  return (
    <footer class="fal-nb-pnotes">
      {(told ?? []).map((line) => (
        <div key={line} class="fal-nb-quiet">
          {line}
        </div>
      ))}
      {error && <div class="fal-nb-perror">{error}</div>}
    </footer>
  );
}

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "pareto", paretoCss);
  const live = new Live<ParetoState, GalleryEvent>(model);
  const shelf = shelfOf(live.field("view").peek());
  const release = shelf.hold((event) => live.send(event as GalleryEvent));
  const pareto = new ParetoModel(live, shelf);
  live.onMessage((content, buffers) => pareto.receive(content as ParetoMessage, buffers));
  pareto.begin();
  renderInto(
    // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
    <section
      class="fal-nb-pareto fal-nb-theme"
      aria-label="calls against two numbers"
      data-lm-suppress-shortcuts="true"
    >
      <Head pareto={pareto} />
      <Plot pareto={pareto} />
      <Notes pareto={pareto} />
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
    pareto.gallery.close();
    live.close();
    release();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

export default { render };
