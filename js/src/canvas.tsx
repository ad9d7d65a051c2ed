/** The live canvas: a drawing and an endpoint's inputs beside the frames that a realtime endpoint makes of them. */

import { render as renderInto } from "preact";
import { CanvasModel, type CanvasProps } from "./canvas/canvas_model";
import { Frame } from "./canvas/frame";
import { LineBar } from "./canvas/line_bar";
import { Pad } from "./canvas/pad";
import { Pins } from "./canvas/pins";
import canvasCss from "./canvas.css?inline";
import { FieldRow } from "./form/field";
import { keepFocus } from "./form/focus";
import { unlessDefault } from "./form/values";
import formCss from "./form.css?inline";
import type { CanvasEvent, CanvasMessage, CanvasState } from "./lib/canvas_messages";
import type { Field, FormEvent, FormState } from "./lib/form_messages";
import { Live } from "./lib/model";
import { canInsert, insertBelow } from "./lib/notebook";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import type { CleanUp, RenderContext } from "./lib/widget";

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "form", formCss);
  addStyle(el, "canvas", canvasCss);
  const live = new Live<CanvasState, CanvasEvent>(model);
  const canvas = new CanvasModel(live);
  live.onMessage((content, buffers) => canvas.receiveMessage(content as CanvasMessage, buffers));
  const view = live.field("view").peek() ?? "";
  const insert = canInsert(model) && view ? (source: string) => insertBelow(model, view, source) : undefined;
  renderInto(
    <div class="fal-nb-theme">
      {/* The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here. */}
      <section
        class="fal-nb-form fal-nb-canvas"
        aria-label={`canvas of ${live.field("endpoint").peek()}`}
        data-lm-suppress-shortcuts="true"
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            event.stopPropagation();
            canvas.go();
          }
        }}
      >
        <LineBar model={canvas} />
        <div class="fal-nb-csides">
          {canvas.painting && <Pad model={canvas} painting={canvas.painting} />}
          <Frame model={canvas} />
        </div>
        <Fields model={canvas} />
        <Pins model={canvas} insert={insert} />
      </section>
    </div>,
    el,
  );
  const release = keepFocus(el, live as unknown as Live<FormState, FormEvent>);
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    release();
    canvas.close();
    renderInto(null, el);
    live.close();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

function Fields({ model }: CanvasProps) {
  const fields = model.fields.value;
  const advanced = fields.filter((field) => field.advanced);
  const filledIn = advanced.filter((field) => model.values.value[field.name] !== undefined).length;
  const wrong = new Set(model.problems.map((problem) => problem.path[0]));
  return (
    <div class="fal-nb-ffields">
      {fields.filter((field) => !field.advanced).map((field) => row(model, field))}
      {advanced.length > 0 && (
        <details
          class="fal-nb-fmore"
          open={model.live.kept("isMoreOpen") === true || advanced.some((field) => wrong.has(field.name))}
          onToggle={(event) => model.live.keep("isMoreOpen", event.currentTarget.open)}
        >
          <summary>
            {advanced.length} more {advanced.length === 1 ? "input" : "inputs"}
            {filledIn > 0 && <span class="fal-nb-quiet"> · {filledIn} filled in</span>}
          </summary>
          {advanced.map((field) => row(model, field))}
        </details>
      )}
    </div>
  );
}

function row(model: CanvasModel, field: Field) {
  return (
    <FieldRow
      key={field.name}
      form={model}
      field={field}
      path={[field.name]}
      value={model.values.value[field.name]}
      change={(value) => model.set(field.name, unlessDefault(field, value))}
    />
  );
}

export default { render };
