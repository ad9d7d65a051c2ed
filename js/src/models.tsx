/** The models view: the catalogue, searched, filtered, looked at closely; its lines are copied or written as cells. */

import { render as renderInto } from "preact";
import { Live } from "./lib/model";
import type { ModelsEvent, ModelsMessage, ModelsState } from "./lib/models_messages";
import { canInsert, insertBelow } from "./lib/notebook";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import { watchVisible } from "./lib/visible";
import type { CleanUp, RenderContext } from "./lib/widget";
import { Bar } from "./models/bar";
import { DetailsPane } from "./models/details";
import { Grid } from "./models/grid";
import { ModelsModel, type ModelsProps } from "./models/models_model";
import modelsCss from "./models.css?inline";

/** A view this far out of sight, in pixels, is not kept up to date. */
const NEAR_PX = 400;

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "models", modelsCss);
  const live = new Live<ModelsState, ModelsEvent>(model);
  const view = live.field("view").peek() ?? "";
  const insert = canInsert(model) && view ? (source: string) => insertBelow(model, view, source) : undefined;
  const models = new ModelsModel(live, insert);
  live.onMessage((content, buffers) => models.receive(content as ModelsMessage, buffers));
  models.begin();
  renderInto(
    // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
    <section class="fal-nb-models fal-nb-theme" aria-label="models" data-lm-suppress-shortcuts="true">
      <Bar models={models} />
      <Body models={models} />
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
    models.end();
    live.close();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
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
