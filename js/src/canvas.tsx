/** The live canvas: a drawing and an endpoint's inputs beside the frames that a realtime endpoint makes of them. */

import { CanvasModel } from "./canvas/canvas_model";
import { Frame } from "./canvas/frame";
import { LineBar } from "./canvas/line_bar";
import { Pad } from "./canvas/pad";
import { Pins } from "./canvas/pins";
import canvasCss from "./canvas.css?inline";
import { Fields, Section } from "./form/section";
import formCss from "./form.css?inline";
import type { CanvasEvent, CanvasMessage, CanvasState } from "./lib/canvas_messages";
import { mount } from "./lib/mount";
import { inserter } from "./lib/notebook";
import type { CleanUp, RenderContext } from "./lib/widget";

function render(context: RenderContext): CleanUp {
  const { model } = context;
  return mount<CanvasState, CanvasEvent>(context, {
    styles: { form: formCss, canvas: canvasCss },
    isNeverHeld: true,
    keepsFocus: true,
    draw: (live) => {
      const canvas = new CanvasModel(live);
      live.onMessage((content, buffers) => canvas.receiveMessage(content as CanvasMessage, buffers));
      const insert = inserter(model, live.field("view").peek());
      const content = (
        <div class="fal-nb-theme">
          <Section
            class="fal-nb-form fal-nb-canvas"
            label={`canvas of ${live.field("endpoint").peek()}`}
            go={() => canvas.go()}
          >
            <LineBar model={canvas} />
            <div class="fal-nb-csides">
              {canvas.painting && <Pad model={canvas} painting={canvas.painting} />}
              <Frame model={canvas} />
            </div>
            <Fields form={canvas} />
            <Pins model={canvas} insert={insert} />
          </Section>
        </div>
      );
      return { content, end: () => canvas.close() };
    },
  });
}

export default { render };
