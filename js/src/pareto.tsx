/** Calls against two numbers: which ones no other beats, as a line through a plot whose points open. */

import { shelfOf } from "./board/shelf";
import type { GalleryEvent } from "./lib/gallery_messages";
import { mount } from "./lib/mount";
import type { ParetoMessage, ParetoState } from "./lib/pareto_messages";
import { Simulated } from "./lib/simulated";
import type { CleanUp, RenderContext } from "./lib/widget";
import { ParetoModel } from "./pareto/pareto_model";
import { type ParetoProps, Plot } from "./pareto/plot";
import paretoCss from "./pareto.css?inline";

function Head({ pareto }: ParetoProps) {
  const { name, best, count, backend } = pareto.live.state.value;
  const selected = pareto.gallery.selected.value.size;
  return (
    <header class="fal-nb-phead">
      <strong>{name}</strong>
      <span class="fal-nb-quiet">
        {`${(best ?? 0).toLocaleString("en")} of ${(count ?? 0).toLocaleString("en")} calls ${best === 1 ? "is" : "are"} beaten by no other`}
      </span>
      <Simulated backend={backend} />
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

function render(context: RenderContext): CleanUp {
  return mount<ParetoState, GalleryEvent>(context, {
    styles: { pareto: paretoCss },
    draw: (live) => {
      const shelf = shelfOf(live.field("view").peek());
      const release = shelf.hold((event) => live.send(event as GalleryEvent));
      const pareto = new ParetoModel(live, shelf);
      live.onMessage((content, buffers) => pareto.receive(content as ParetoMessage, buffers));
      pareto.begin();
      const content = (
        // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
        <section
          class="fal-nb-pareto fal-nb-theme"
          aria-label="calls against two numbers"
          data-lm-suppress-shortcuts="true"
        >
          <Head pareto={pareto} />
          <Plot pareto={pareto} />
          <Notes pareto={pareto} />
        </section>
      );
      return {
        content,
        release: () => {
          pareto.gallery.close();
          release();
        },
      };
    },
  });
}

export default { render };
