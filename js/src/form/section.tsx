/** What a form and a canvas share: the frame that hears Ctrl+Enter, and the fields, the rare ones folded away. */

import type { ComponentChildren } from "preact";
import type { Field } from "../lib/form_messages";
import { FieldRow } from "./field";
import type { FormModel, FormProps } from "./form_model";
import { unlessDefault } from "./values";

interface SectionProps {
  class: string;
  label: string;
  /** What Ctrl+Enter does. */
  go: () => void;
  children: ComponentChildren;
}

export function Section({ class: name, label, go, children }: SectionProps) {
  return (
    // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
    <section
      class={name}
      aria-label={label}
      data-lm-suppress-shortcuts="true"
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          event.stopPropagation();
          go();
        }
      }}
    >
      {children}
    </section>
  );
}

export function Fields({ form }: FormProps) {
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
