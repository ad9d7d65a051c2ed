/** The controls of single values: texts, numbers, switches, choices, sizes, JSON. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Field, Json } from "../lib/form_messages";
import type { FieldProps, Ties } from "./field";
import { FileControl } from "./file_control";
import { GroupControl, ListControl, UnionControl } from "./nested";
import { isObject, readNumber, same, unlessDefault, withPart, writeNumber } from "./values";

export interface ControlProps extends FieldProps {
  ties: Ties;
}

const BIGGEST_SEED = 2 ** 32;

export function Control(props: ControlProps) {
  switch (props.field.kind) {
    case "text":
    case "long text":
      return <TextControl {...props} />;
    case "number":
    case "slider":
    case "seed":
      return <NumberControl {...props} />;
    case "flag":
      return <FlagControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} />;
    case "size":
      return <SizeControl {...props} />;
    case "file":
      return <FileControl {...props} />;
    case "list":
      return <ListControl {...props} />;
    case "group":
      return <GroupControl {...props} />;
    case "union":
      return <UnionControl {...props} />;
    case "nothing":
      return <NothingControl {...props} />;
    default:
      return <JsonControl {...props} />;
  }
}

function TextControl({ field, value, change, ties }: ControlProps) {
  const shown = typeof value === "string" ? value : value === undefined ? "" : String(value);
  const take = (text: string) => {
    // An empty text says something only where the default is another one.
    const isLeftOut = text === "" && (typeof field.default !== "string" || field.default === "");
    change(isLeftOut ? undefined : unlessDefault(field, text));
  };
  const isDefault = value === undefined && field.default_words !== undefined;
  const shared = {
    ...ties,
    value: shown,
    placeholder: isDefault ? field.default_words : undefined,
    spellcheck: field.kind === "long text",
  };
  if (field.kind === "long text") {
    return (
      <textarea
        {...shared}
        rows={Math.min(10, Math.max(2, shown.split("\n").length + 1))}
        onInput={(event) => take(event.currentTarget.value)}
      />
    );
  }
  return <input {...shared} type="text" onInput={(event) => take(event.currentTarget.value)} />;
}

function NumberControl({ field, value, change, ties }: ControlProps) {
  const [draft, setDraft] = useState(writeNumber(value));
  useEffect(() => {
    // What stands there stays as typed ("1." or "1e"), unless it is another value now.
    setDraft((now) => (same(readNumber(now), value) ? now : writeNumber(value)));
  }, [value]);
  const take = (text: string) => {
    setDraft(text);
    change(unlessDefault(field, readNumber(text)));
  };
  const start = value ?? field.default;
  return (
    <>
      {field.kind === "slider" && (
        <input
          type="range"
          min={field.low}
          max={field.high}
          step={field.step}
          value={typeof start === "number" ? start : field.low}
          aria-label={`${field.label ?? field.name}, slider`}
          onInput={(event) => take(String(Number(event.currentTarget.value)))}
        />
      )}
      <input
        {...ties}
        type="text"
        inputMode={field.integer ? "numeric" : "decimal"}
        class="fal-nb-fnumber"
        autocomplete="off"
        value={draft}
        placeholder={field.default_words ?? (field.kind === "seed" ? "random" : undefined)}
        onInput={(event) => take(event.currentTarget.value)}
      />
      {field.kind === "seed" && (
        <button
          type="button"
          class="fal-nb-button"
          title="a seed by chance, to be kept"
          onClick={() => take(String(chance(field)))}
        >
          New seed
        </button>
      )}
    </>
  );
}

function chance(field: Field): number {
  const low = Math.max(0, field.low ?? 0);
  const high = Math.min(BIGGEST_SEED, field.high ?? BIGGEST_SEED);
  return low + Math.floor(Math.random() * Math.max(1, high - low));
}

function FlagControl({ field, value, change, ties }: ControlProps) {
  const isOn = value ?? field.default ?? false;
  return (
    <input
      {...ties}
      type="checkbox"
      checked={isOn === true}
      onChange={(event) => {
        const now = event.currentTarget.checked;
        // Without a default, off is what leaving it out may not be.
        change(field.default === undefined ? now : unlessDefault(field, now));
      }}
    />
  );
}

function ChoiceControl({ field, value, change, ties }: ControlProps) {
  const choices = field.choices ?? [];
  const at = value === undefined ? -1 : choices.findIndex((choice) => same(choice, value));
  const odd = value !== undefined && at < 0;
  return (
    <select
      {...ties}
      value={odd ? "odd" : String(at)}
      onChange={(event) => {
        const index = Number(event.currentTarget.value);
        change(index >= 0 ? unlessDefault(field, choices[index]) : undefined);
      }}
    >
      {odd && <option value="odd">{JSON.stringify(value)}</option>}
      <option value="-1">{nobody(field)}</option>
      {field.choice_labels?.map((label, index) => (
        <option key={index} value={String(index)}>
          {label}
        </option>
      ))}
    </select>
  );
}

function nobody(field: Field): string {
  if (field.default_words !== undefined) return `${field.default_words} (default)`;
  return field.required ? "choose …" : "not set";
}

const OWN_SIZE = "own";

function SizeControl({ field, value, change, ties }: ControlProps) {
  const choices = field.choices ?? [];
  const isOwn = isObject(value);
  const at = value === undefined ? -1 : choices.findIndex((choice) => same(choice, value));
  const odd = value !== undefined && at < 0 && !isOwn;
  const part = (name: string) => field.fields?.find((each) => each.name === name);
  const number = (name: string) => (
    <input
      type="text"
      inputMode="numeric"
      class="fal-nb-fnumber"
      aria-label={`${field.label ?? field.name}, ${name}`}
      value={writeNumber(isOwn ? value[name] : undefined)}
      placeholder={part(name)?.default_words}
      onInput={(event) => change(withPart(value, name, readNumber(event.currentTarget.value)))}
    />
  );
  return (
    <>
      <select
        {...ties}
        value={isOwn ? OWN_SIZE : odd ? "odd" : String(at)}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          if (chosen === OWN_SIZE) change({ width: 1024, height: 1024 });
          else change(Number(chosen) >= 0 ? unlessDefault(field, choices[Number(chosen)]) : undefined);
        }}
      >
        {odd && <option value="odd">{JSON.stringify(value)}</option>}
        <option value="-1">{nobody(field)}</option>
        {field.choice_labels?.map((label, index) => (
          <option key={index} value={String(index)}>
            {label}
          </option>
        ))}
        <option value={OWN_SIZE}>width × height</option>
      </select>
      {isOwn && (
        <span class="fal-nb-fpair">
          {number("width")} × {number("height")}
        </span>
      )}
    </>
  );
}

function NothingControl({ value, change, ties }: ControlProps) {
  return (
    <input
      {...ties}
      type="checkbox"
      checked={value === null}
      onChange={(event) => change(event.currentTarget.checked ? null : undefined)}
    />
  );
}

function JsonControl({ form, field, path, value, change, ties }: ControlProps) {
  const written = (json: Json) => (json === undefined ? "" : JSON.stringify(json, undefined, 1));
  const [draft, setDraft] = useState(written(value));
  const last = useRef(value);
  useEffect(() => {
    if (!same(last.current, value)) {
      last.current = value;
      setDraft(written(value));
    }
  }, [value]);
  // What is not JSON is a matter of the page while it stands there.
  useEffect(() => () => form.note(path, undefined), [JSON.stringify(path)]);
  return (
    <textarea
      {...ties}
      class="fal-nb-fjson"
      rows={Math.min(10, Math.max(2, draft.split("\n").length))}
      value={draft}
      placeholder={field.default_words ?? "JSON"}
      spellcheck={false}
      onInput={(event) => {
        const text = event.currentTarget.value;
        setDraft(text);
        try {
          last.current = text.trim() === "" ? undefined : JSON.parse(text);
          form.note(path, undefined);
          change(last.current);
        } catch (error) {
          form.note(path, `not JSON: ${(error as Error).message}`);
        }
      }}
    />
  );
}
