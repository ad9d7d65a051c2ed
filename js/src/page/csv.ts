/** Rows as CSV or JSON, by the rules of the tables that Python writes: no text becomes a spreadsheet's formula. */

/** Texts that spreadsheets take for a formula, also in full-width characters. Source: OWASP, "CSV Injection". */
const FORMULA = /^(?:[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n])/;

export function csvText(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const lines = [columns, ...rows].map((row) => row.map(field).join(","));
  return `${lines.join("\n")}\n`;
}

export function jsonText(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const objects = rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));
  return `[\n${objects.map((each) => JSON.stringify(each)).join(",\n")}\n]\n`;
}

function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
