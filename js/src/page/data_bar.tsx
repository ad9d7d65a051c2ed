/** Below an exported gallery: the calls of what is shown as a table, to be read here or kept as CSV or JSON. */

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { csvText, jsonText } from "./csv";
import type { GalleryData } from "./gallery_data";

const AT_ONCE = 100;
const MOST_CHARS = 300;

interface Props {
  data: GalleryData;
  order: ReadonlySignal<readonly number[]>;
  /** What the files are called. */
  name: string;
}

export function DataBar({ data, order, name }: Props) {
  const isOpen = useSignal(false);
  const { columns, records, rows } = data.table;
  const shown = useComputed(() => {
    const wanted = new Set(order.value.map((place) => data.record(place)));
    return rows.filter((_, at) => wanted.has(records[at] as number));
  });
  const count = shown.value.length;
  const calls = `${count.toLocaleString("en")} ${count === 1 ? "call" : "calls"}`;
  return (
    <section class="fal-nb-pdata fal-nb-theme" aria-label="data">
      <div class="fal-nb-pbar">
        <span role="status">{calls}</span>
        <button
          type="button"
          class="fal-nb-button"
          aria-expanded={isOpen.value}
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          Table
        </button>
        <button
          type="button"
          class="fal-nb-button"
          onClick={() => save(`${name}.csv`, "text/csv", csvText(columns, shown.value))}
        >
          Download CSV
        </button>
        <button
          type="button"
          class="fal-nb-button"
          onClick={() => save(`${name}.json`, "application/json", jsonText(columns, shown.value))}
        >
          Download JSON
        </button>
      </div>
      {isOpen.value && <Rows columns={columns} rows={shown.value} caption={calls} />}
    </section>
  );
}

interface RowsProps {
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  caption: string;
}

function Rows({ columns, rows, caption }: RowsProps) {
  const most = useSignal(AT_ONCE);
  const left = rows.length - most.value;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="fal-nb-pscroll" aria-label="table of calls" tabIndex={0}>
      <table>
        <caption class="fal-nb-spoken">{caption}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, most.value).map((row, at) => (
            <tr key={at}>
              {row.map((value, column) => (
                <Field key={columns[column]} value={value} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <button
          type="button"
          class="fal-nb-button"
          onClick={() => {
            most.value += AT_ONCE;
          }}
        >
          {Math.min(left, AT_ONCE)} more of {left.toLocaleString("en")}
        </button>
      )}
    </section>
  );
}

function Field({ value }: { value: unknown }) {
  if (typeof value === "number") return <td class="fal-nb-pnumber">{shortNumber(value)}</td>;
  const text = value == null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const short = text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
  return <td title={text.length > 40 ? text.slice(0, 2_000) : undefined}>{short}</td>;
}

/** Seven digits of a fraction; what is kept as a file has all of them. */
function shortNumber(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(7));
}

/** Gives the person a file; its bytes never leave the machine. */
function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
