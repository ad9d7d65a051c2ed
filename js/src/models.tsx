/** The models view: the catalogue, searched, filtered, looked at closely; its lines are copied or written as cells. */

import type { ModelsEvent, ModelsMessage, ModelsState } from "./lib/models_messages";
import { mount } from "./lib/mount";
import { inserter } from "./lib/notebook";
import type { CleanUp, RenderContext } from "./lib/widget";
import { Bar } from "./models/bar";
import { DetailsPane } from "./models/details";
import { Grid } from "./models/grid";
import { ModelsModel, type ModelsProps } from "./models/models_model";
import modelsCss from "./models.css?inline";

function render(context: RenderContext): CleanUp {
  const { model } = context;
  return mount<ModelsState, ModelsEvent>(context, {
    styles: { models: modelsCss },
    keepsFocus: true,
    draw: (live) => {
      const models = new ModelsModel(live, inserter(model, live.field("view").peek()));
      live.onMessage((content, buffers) => models.receive(content as ModelsMessage, buffers));
      models.begin();
      const content = (
        // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
        <section class="fal-nb-models fal-nb-theme" aria-label="models" data-lm-suppress-shortcuts="true">
          <Bar models={models} />
          <Body models={models} />
        </section>
      );
      return { content, release: () => models.end() };
    },
  });
}

function Body({ models }: ModelsProps) {
  return (
    <div class="fal-nb-cbody" data-open={models.opened.value >= 0}>
      <Grid models={models} />
      <DetailsPane models={models} />
    </div>
  );
}

export default { render };
