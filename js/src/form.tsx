/** A model's form: its inputs by its schema, checked as they are filled in, run from here or written as a cell. */

import { Cards } from "./form/cards";
import { Footer } from "./form/footer";
import { FormModel, type FormProps } from "./form/form_model";
import { Fields, Section } from "./form/section";
import formCss from "./form.css?inline";
import type { FormEvent, FormMessage, FormState } from "./lib/form_messages";
import { mount } from "./lib/mount";
import { inserter } from "./lib/notebook";
import { Simulated } from "./lib/simulated";
import type { CleanUp, RenderContext } from "./lib/widget";

function render(context: RenderContext): CleanUp {
  const { model } = context;
  return mount<FormState, FormEvent>(context, {
    styles: { form: formCss },
    isNeverHeld: true,
    keepsFocus: true,
    draw: (live) => {
      const form = new FormModel(live);
      live.onMessage((content, buffers) => form.receive(content as FormMessage, buffers));
      form.tellUnheard();
      const insert = inserter(model, live.field("view").peek());
      const content = (
        <div class="fal-nb-theme">
          <Section
            class="fal-nb-form"
            label={`form of ${live.field("endpoint").peek()}`}
            go={() => form.run()}
          >
            <Header form={form} />
            <Fields form={form} />
            <Footer form={form} insert={insert} />
          </Section>
          <Cards form={form} />
        </div>
      );
      return { content, end: () => form.close() };
    },
  });
}

function Header({ form: { live } }: FormProps) {
  const category = live.field("category").value;
  return (
    <header class="fal-nb-fhead">
      <strong>{live.field("endpoint").value}</strong>
      {category && <span class="fal-nb-quiet">{category}</span>}
      <Simulated backend={live.field("backend").value} />
    </header>
  );
}

export default { render };
