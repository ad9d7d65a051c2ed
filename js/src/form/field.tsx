/** One field: its label, its control, what is wrong with it. Which control stands there is `controls.tsx`'s part. */

import type { ComponentChildren } from "preact";
import type { Field, Json, Path } from "../lib/form_messages";
import { Control } from "./controls";
import type { FormModel } from "./form_model";
import { problemsAt, rangeHint } from "./values";

export interface FieldProps {
  form: FormModel;
  field: Field;
  path: Path;
  value: Json;
  change: (value: Json) => void;
}

/** What a control needs to be tied to its label and its words. */
export interface Ties {
  id: string;
  "aria-invalid"?: "true";
  "aria-describedby"?: string;
  "aria-required"?: "true";
}

const WHOLE = new Set(["group", "list", "union"]);

export function FieldRow({ form, field, path, value, change }: FieldProps) {
  const id = `fal-nb-${form.id}-${path.map((part) => String(part).replace(/\W/g, "_")).join("-")}`;
  const isWhole = WHOLE.has(field.kind);
  const own = form.own.value.get(JSON.stringify(path));
  const found = problemsAt(form.problems, path, !isWhole).map((problem) => problem.message);
  // A required field that nobody has touched yet is not wrong, only not filled in.
  const isUntouched = value === undefined && field.required && !form.wasTried.value;
  const hint = own ?? rangeHint(field, value);
  const messages = hint ? [hint] : isUntouched ? [] : found;
  const ties: Ties = { id };
  if (messages.length > 0) ties["aria-invalid"] = "true";
  const described = [field.description && `${id}-about`, messages.length > 0 && `${id}-wrong`].filter(
    Boolean,
  );
  if (described.length > 0) ties["aria-describedby"] = described.join(" ");
  if (field.required) ties["aria-required"] = "true";
  const props = { form, field, path, value, change };
  return (
    <div class="fal-nb-ffield" data-kind={field.kind} data-name={field.name || undefined}>
      <Label field={field} id={id} isWhole={isWhole} />
      <div class="fal-nb-fbody">
        <div class="fal-nb-fcontrol">
          {field.nullable && <NullBox {...props} />}
          {!(field.nullable && value === null) && <Control {...props} ties={ties} />}
          {value !== undefined && !field.required && path.length === 1 && (
            <button
              type="button"
              class="fal-nb-flink"
              title={field.default_words ? `back to the default, ${field.default_words}` : "leave it out"}
              aria-label={`clear ${field.label ?? field.name}`}
              onClick={() => {
                form.note(path, undefined);
                change(undefined);
              }}
            >
              clear
            </button>
          )}
        </div>
        {messages.length > 0 && (
          <div class="fal-nb-fwrong" id={`${id}-wrong`} role="alert">
            {messages.join(" ")}
          </div>
        )}
        {field.description && (
          <div class="fal-nb-fabout" id={`${id}-about`} title={field.description}>
            {field.description}
          </div>
        )}
      </div>
    </div>
  );
}

function Label({ field, id, isWhole }: { field: Field; id: string; isWhole: boolean }) {
  const words: ComponentChildren = (
    <>
      {field.label}
      {field.required && field.name && (
        <span class="fal-nb-frequired" title="required" aria-hidden="true">
          {" "}
          *
        </span>
      )}
    </>
  );
  const title = [field.name, field.type, field.limits].filter(Boolean).join(" · ");
  return (
    <div class="fal-nb-flabel">
      {isWhole ? (
        <span id={`${id}-label`} title={title}>
          {words}
        </span>
      ) : (
        <label for={id} title={title}>
          {words}
        </label>
      )}
    </div>
  );
}

function NullBox({ field, value, change }: FieldProps) {
  return (
    <label class="fal-nb-fnull">
      <input
        type="checkbox"
        checked={value === null}
        onChange={(event) => change(event.currentTarget.checked ? null : undefined)}
        aria-label={`${field.label ?? field.name}: none`}
      />
      none
    </label>
  );
}
