/**
 * Writes a cell into the notebook, where the host lets a page do so.
 *
 * A kernel can offer a next cell only while it answers a request to execute; a click is none. JupyterLab and Notebook 7
 * give widgets their manager, and its context is the document with its cells.
 */

import type { WidgetModel } from "./widget";

interface SharedCell {
  toJSON?(): { outputs?: unknown };
}

interface SharedNotebook {
  cells?: readonly SharedCell[];
  insertCell?(index: number, cell: Record<string, unknown>): unknown;
}

interface HostModel extends WidgetModel {
  widget_manager?: { context?: { model?: { sharedModel?: SharedNotebook } } };
}

export type Insert = (source: string) => boolean;

/** What inserts a cell below the one whose output holds `mark`; nothing where the host lets nobody. */
export function inserter(model: WidgetModel, mark: string | undefined): Insert | undefined {
  if (!mark || notebookOf(model) === undefined) return undefined;
  return (source) => insertBelow(model, mark, source);
}

/** Inserts a code cell, and says whether that was possible. */
function insertBelow(model: WidgetModel, mark: string, source: string): boolean {
  const notebook = notebookOf(model);
  try {
    const cells = notebook?.cells ?? [];
    const at = cells.findIndex((cell) => JSON.stringify(cell.toJSON?.().outputs ?? null).includes(mark));
    if (at < 0) return false;
    notebook?.insertCell?.(at + 1, { cell_type: "code", source, metadata: {}, outputs: [] });
    return true;
  } catch (error) {
    console.warn("fal_nb: no cell could be written here", error);
    return false;
  }
}

function notebookOf(model: WidgetModel): SharedNotebook | undefined {
  try {
    const notebook = (model as HostModel).widget_manager?.context?.model?.sharedModel;
    return typeof notebook?.insertCell === "function" ? notebook : undefined;
  } catch {
    return undefined;
  }
}
