/**
 * Tells when the kernel behind a widget model has gone, and when the connection to it came back.
 *
 * Lab tells models of a restart that the user asked for (`destroy`), but not of a kernel that died and was started
 * again by the server; its widget manager has the kernel, where the host is Lab or Notebook, and that one knows.
 */

import type { WidgetModel } from "./widget";

interface HostSignal {
  connect(slot: (sender: unknown, value: unknown) => void): unknown;
  disconnect(slot: (sender: unknown, value: unknown) => void): unknown;
}

interface HostModel extends WidgetModel {
  widget_manager?: { kernel?: { statusChanged?: HostSignal; connectionStatusChanged?: HostSignal } | null };
}

const GONE = new Set<unknown>(["restarting", "autorestarting", "terminating", "dead"]);

/** Returns how to stop watching. */
export function watchKernel(model: WidgetModel, lost: () => void, back: () => void): () => void {
  const kernel = kernelOf(model as HostModel);
  const onStatus = (_: unknown, status: unknown) => {
    if (GONE.has(status)) lost();
  };
  const onConnection = (_: unknown, status: unknown) => {
    if (status === "disconnected") lost();
    else if (status === "connected") back();
  };
  model.on("destroy", lost);
  model.on("comm:close", lost);
  kernel?.statusChanged?.connect(onStatus);
  kernel?.connectionStatusChanged?.connect(onConnection);
  return () => {
    model.off("destroy", lost);
    model.off("comm:close", lost);
    kernel?.statusChanged?.disconnect(onStatus);
    kernel?.connectionStatusChanged?.disconnect(onConnection);
  };
}

function kernelOf(model: HostModel) {
  try {
    return model.widget_manager?.kernel;
  } catch {
    return undefined;
  }
}
