/** A model's form: its inputs by its schema, checked as they are filled in, run from here or written as a cell. */

import { render as renderInto } from "preact";
import { Cards } from "./form/cards";
import { FieldRow } from "./form/field";
import { keepFocus } from "./form/focus";
import { Footer } from "./form/footer";
import { FormModel, type FormProps } from "./form/form_model";
import { unlessDefault } from "./form/values";
import formCss from "./form.css?inline";
import type { Field, FormEvent, FormMessage, FormState } from "./lib/form_messages";
import { Live } from "./lib/model";
import { canInsert, insertBelow } from "./lib/notebook";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import type { CleanUp, RenderContext } from "./lib/widget";

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "form", formCss);
  const live = new Live<FormState, FormEvent>(model);
  const form = new FormModel(live);
  form.tellUnheard();
  live.onMessage((content, buffers) => form.receive(content as FormMessage, buffers));
  const view = live.field("view").peek() ?? "";
  const insert = canInsert(model) && view ? (source: string) => insertBelow(model, view, source) : undefined;
  renderInto(
    <div class="fal-nb-theme">
      {/* The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here. */}
      <section
        class="fal-nb-form"
        aria-label={`form of ${live.field("endpoint").peek()}`}
        data-lm-suppress-shortcuts="true"
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            event.stopPropagation();
            form.run();
          }
        }}
      >
        <Header form={form} />
        <Fields form={form} />
        <Footer form={form} insert={insert} />
      </section>
      <Cards form={form} />
    </div>,
    el,
  );
  const release = keepFocus(el, live);
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    release();
    form.close();
    renderInto(null, el);
    live.close();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

function Header({ form: { live } }: FormProps) {
  const category = live.field("category").value;
  return (
    <header class="fal-nb-fhead">
      <strong>{live.field("endpoint").value}</strong>
      {category && <span class="fal-nb-quiet">{category}</span>}
      {live.field("backend").value === "simulator" && (
        <span class="fal-nb-badge" title="made by the local simulator, not by fal; nothing is billed">
          simulated
        </span>
      )}
    </header>
  );
}

function Fields({ form }: FormProps) {
  const fields = form.fields.value;
  const advanced = fields.filter((field) => field.advanced);
  const leftOut = form.live.field("left_out").value ?? 0;
  const filledIn = advanced.filter((field) => form.values.value[field.name] !== undefined).length;
  const wrong = new Set(form.problems.map((problem) => problem.path[0]));
  const isWrong = advanced.some((field) => wrong.has(field.name));
  return (
    <div class="fal-nb-ffields">
      {fields.filter((field) => !field.advanced).map((field) => row(form, field))}
      {advanced.length > 0 && (
        <details
          class="fal-nb-fmore"
          open={form.live.kept("isMoreOpen") === true || isWrong}
          onToggle={(event) => form.live.keep("isMoreOpen", event.currentTarget.open)}
        >
          <summary>
            {advanced.length} more {advanced.length === 1 ? "input" : "inputs"}
            {filledIn > 0 && <span class="fal-nb-quiet"> · {filledIn} filled in</span>}
          </summary>
          {advanced.map((field) => row(form, field))}
        </details>
      )}
      {leftOut > 0 && <p class="fal-nb-quiet">{leftOut} more inputs are too many for a form.</p>}
    </div>
  );
}

function row(form: FormModel, field: Field) {
  return (
    <FieldRow
      key={field.name}
      form={form}
      field={field}
      path={[field.name]}
      value={form.values.value[field.name]}
      change={(value) => form.set(field.name, unlessDefault(field, value))}
    />
  );
}

export default { render };
