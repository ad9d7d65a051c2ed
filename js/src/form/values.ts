/** Values of a form: what is left out has its default, what stands there was filled in. */

import type { Field, Json, Path, Problem } from "../lib/form_messages";

/** A number as typed: the number where a page can hold it exactly, else the text, which the kernel judges. */
export function readNumber(text: string): Json {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const number = Number(trimmed);
  if (!Number.isFinite(number)) return trimmed;
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? trimmed : number;
}

export function writeNumber(value: Json): string {
  return value === undefined || value === null ? "" : String(value);
}

/** A value, or undefined where leaving it out says the same. */
export function unlessDefault(field: Field, value: Json): Json {
  return !field.required && field.default !== undefined && same(field.default, value) ? undefined : value;
}

export function same(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** An object with one part set, or taken out where the value is undefined. */
export function withPart(value: Json, name: string, part: Json): Record<string, Json> {
  const { [name]: _, ...rest } = isObject(value) ? value : {};
  return part === undefined ? rest : { ...rest, [name]: part };
}

export function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a new item of a list, or a part that must be there, is at first. */
export function emptyOf(field: Field): Json {
  switch (field.kind) {
    case "group":
      return {};
    case "list":
      return [];
    case "flag":
      return false;
    case "choice":
      return field.choices?.[0];
    case "size":
      return field.choices?.[0];
    case "slider":
      return field.low;
    case "nothing":
    case "json":
      return null;
    case "number":
    case "seed":
      return field.low ?? 0;
    case "union":
      return field.options?.[0] ? emptyOf(field.options[0]) : null;
    default:
      return "";
  }
}

/** The option of a union that a value was meant for, or -1. */
export function optionFor(options: readonly Field[], value: Json): number {
  const exact = options.findIndex((option) => option.choices?.some((choice) => same(choice, value)));
  return exact >= 0 ? exact : options.findIndex((option) => isMeant(option, value));
}

function isMeant(option: Field, value: Json): boolean {
  switch (option.kind) {
    case "number":
    case "slider":
    case "seed":
      return typeof value === "number";
    case "text":
    case "long text":
    case "file":
      return typeof value === "string";
    case "flag":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "group":
      return (
        isObject(value) &&
        Object.keys(value).every((name) => option.fields?.some((part) => part.name === name))
      );
    case "size":
      return isObject(value) || typeof value === "string";
    case "json":
      return true;
    default:
      return false;
  }
}

/** Problems of a field itself; `deep` takes those of its parts as well, for fields that show no parts. */
export function problemsAt(problems: readonly Problem[], path: Path, deep: boolean): Problem[] {
  return problems.filter(
    (problem) =>
      (deep ? problem.path.length >= path.length : problem.path.length === path.length) &&
      path.every((part, at) => problem.path[at] === part),
  );
}

/** What a range says of a number at once, before the kernel has judged it. */
export function rangeHint(field: Field, value: Json): string | undefined {
  if (typeof value !== "number") return undefined;
  if (field.low !== undefined && value < field.low) return `at least ${field.low}`;
  if (field.high !== undefined && value > field.high) return `at most ${field.high}`;
  if (field.integer && !Number.isInteger(value)) return "a whole number";
  return undefined;
}
