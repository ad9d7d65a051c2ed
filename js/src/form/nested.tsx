/** Fields inside fields: lists whose items repeat, objects with parts, and unions, of which one option is chosen. */

import { useState } from "preact/hooks";
import type { Field, Json } from "../lib/form_messages";
import { Control, type ControlProps } from "./controls";
import { FieldRow } from "./field";
import { emptyOf, isObject, optionFor, withPart } from "./values";

export function ListControl({ form, field, path, value, change, ties }: ControlProps) {
  const item = field.item;
  const items: Json[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  if (!item) return null;
  const set = (at: number, to: Json) => change(items.map((each, index) => (index === at ? to : each)));
  const isFull = field.max_items !== undefined && items.length >= field.max_items;
  const name = field.label ?? field.name;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has no grid
    <div class="fal-nb-flist" role="group" aria-labelledby={`${ties.id}-label`}>
      {items.map((each, at) => (
        <div key={at} class="fal-nb-fitem" data-kind={item.kind}>
          <FieldRow
            form={form}
            field={{ ...item, label: `${at + 1}`, required: true }}
            path={[...path, at]}
            value={each}
            change={(to) => set(at, to === undefined ? emptyOf(item) : to)}
          />
          <button
            type="button"
            class="fal-nb-flink"
            aria-label={`remove item ${at + 1} of ${name}`}
            onClick={() => {
              const rest = items.filter((_, index) => index !== at);
              change(rest.length > 0 || field.required ? rest : undefined);
            }}
          >
            remove
          </button>
        </div>
      ))}
      <button
        type="button"
        id={ties.id}
        class="fal-nb-button"
        disabled={isFull}
        title={isFull ? `at most ${field.max_items}` : undefined}
        onClick={() => change([...items, emptyOf(item)])}
      >
        Add{items.length > 0 ? " another" : ""}
        <span class="fal-nb-spoken"> to {name}</span>
      </button>
    </div>
  );
}

export function GroupControl({ form, field, path, value, change, ties }: ControlProps) {
  if (!isObject(value) && !field.required) {
    return (
      <button type="button" id={ties.id} class="fal-nb-button" onClick={() => change({})}>
        Set
        <span class="fal-nb-spoken"> {field.label ?? field.name}</span>
      </button>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has no grid
    <div class="fal-nb-fgroup" role="group" aria-labelledby={`${ties.id}-label`}>
      {field.fields?.map((part) => (
        <FieldRow
          key={part.name}
          form={form}
          field={part}
          path={[...path, part.name]}
          value={isObject(value) ? value[part.name] : undefined}
          change={(to) => change(withPart(value, part.name, to))}
        />
      ))}
    </div>
  );
}

export function UnionControl({ form, field, path, value, change, ties }: ControlProps) {
  const options = field.options ?? [];
  const meant = value === undefined ? -1 : optionFor(options, value);
  const [chosen, setChosen] = useState(meant);
  const fits = chosen >= 0 && (value === undefined || isFor(options[chosen], value, chosen, meant));
  const at = fits ? chosen : meant;
  const option: Field | undefined = options[at];
  return (
    <div class="fal-nb-funion">
      <select
        aria-label={`${field.label ?? field.name}, kind`}
        value={String(at)}
        onChange={(event) => {
          const now = Number(event.currentTarget.value);
          setChosen(now);
          change(now < 0 ? undefined : emptyOf(options[now] as Field));
        }}
      >
        <option value="-1">{field.default_words ? `${field.default_words} (default)` : "not set"}</option>
        {options.map((each, index) => (
          <option key={index} value={String(index)}>
            {each.label}
          </option>
        ))}
      </select>
      {option && (
        <Control
          form={form}
          field={{ ...option, name: field.name, label: field.label, required: true }}
          path={path}
          value={value}
          change={change}
          ties={ties}
        />
      )}
    </div>
  );
}

/** Whether a value may be of the option somebody chose, though another one comes first: a text, of two of texts. */
function isFor(option: Field | undefined, value: Json, chosen: number, meant: number): boolean {
  return option !== undefined && (chosen === meant || optionFor([option], value) === 0 || meant < 0);
}
