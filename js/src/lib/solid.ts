/**
 * Solids (binary glTF): looked into before they are opened, then shown by the viewer.
 *
 * A glTF may name other files and hosts, which a loader would fetch: one that does is not opened, whoever made it.
 */

import { effect } from "@preact/signals";
import type { MediaStore } from "./media";
import type { Output } from "./messages";

export interface SolidView {
  url: string;
  alt: string;
  /** It is drawn. */
  shown: () => void;
  failed: (why: string) => void;
}

/** What the bundle `viewer` gives. */
export interface Viewer {
  /** Puts a solid into an element; returns how to take it away. */
  show(host: HTMLElement, view: SolidView): () => void;
}

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const HEAD_BYTES = 20;
const MOST_JSON_BYTES = 64 * 1024 * 1024;
/** Compressions whose decoders would have to be fetched from elsewhere. */
const CLOSED: Record<string, string> = {
  KHR_draco_mesh_compression: "Draco",
  EXT_meshopt_compression: "meshopt",
  KHR_texture_basisu: "Basis",
};

/** Why a file is not opened, in a few words; undefined where nothing speaks against it. */
export function problemOf(file: ArrayBuffer): string | undefined {
  const view = new DataView(file);
  if (file.byteLength < HEAD_BYTES || view.getUint32(0, true) !== MAGIC) return "it is no binary glTF";
  const [length, type] = [view.getUint32(12, true), view.getUint32(16, true)];
  if (type !== JSON_CHUNK || length > MOST_JSON_BYTES || HEAD_BYTES + length > file.byteLength) {
    return "its description is damaged";
  }
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(new Uint8Array(file, HEAD_BYTES, length)));
  } catch {
    return "its description is damaged";
  }
  const needed = (document as { extensionsRequired?: unknown } | null)?.extensionsRequired;
  const closed = Array.isArray(needed)
    ? needed.find((name) => Object.hasOwn(CLOSED, String(name)))
    : undefined;
  if (closed) return `it is compressed with ${CLOSED[String(closed)]}: open the file in another program`;
  return namesOthers(document) ? "it refers to files elsewhere, which are not fetched" : undefined;
}

/** Whether anything in it would make a loader fetch: every address but data in place. */
function namesOthers(document: unknown): boolean {
  const open: unknown[] = [document];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "uri" && !(typeof inner === "string" && /^data:/i.test(inner))) return true;
      if (typeof inner === "object") open.push(inner);
    }
  }
  return false;
}

export interface Shown {
  /** What is said in its place until it is drawn, or why it is not; empty once it is. */
  say: (words: string, isProblem: boolean) => void;
}

/** Loads a solid and its viewer and shows it in `host`; returns how to take it away. */
export function showSolid(
  host: HTMLElement,
  media: MediaStore,
  output: Output,
  alt: string,
  { say }: Shown,
): () => void {
  let isOver = false;
  let opened: string | undefined;
  let remove: (() => void) | undefined;
  const failed = (why: unknown) => {
    if (!isOver) say(`not shown in 3D: ${why instanceof Error ? why.message : why}`, true);
  };
  const open = async (url: string) => {
    if (!hasWebGl()) throw new Error("this browser draws no 3D (WebGL is off)");
    const file = await (await fetch(url)).arrayBuffer();
    const problem = problemOf(file);
    if (problem) throw new Error(problem);
    const viewer = await media.viewer();
    if (isOver) return;
    remove?.();
    remove = viewer.show(host, { url, alt, shown: () => !isOver && say("", false), failed });
  };
  const end = effect(() => {
    const { status, url, error, received } = media.get(output, "original").value;
    queueMicrotask(() => !isOver && media.request(output, "original"));
    if (status === "failed") failed(error ?? "it is not here");
    else if (url && url !== opened) {
      opened = url;
      open(url).catch(failed);
    } else if (!url) say(`loading 3D… ${Math.round((received ?? 0) * 100)} %`, false);
  });
  const stops = guard(host);
  return () => {
    isOver = true;
    end();
    stops();
    remove?.();
  };
}

const KEYS = new Set([
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
  "PageUp",
  "PageDown",
  "+",
  "=",
  "-",
  "0",
]);

/** What turns the solid must not turn the page as well: the lightbox swipes, the front end moves between cells. */
function guard(host: HTMLElement): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  host.dataset.lmSuppressShortcuts = "true";
  for (const event of ["pointerdown", "mousedown", "touchstart", "wheel", "click"] as const) {
    host.addEventListener(event, (each) => each.stopPropagation(), { signal, passive: true });
  }
  host.addEventListener("keydown", (event) => KEYS.has(event.key) && event.stopPropagation(), { signal });
  return () => controller.abort();
}

function hasWebGl(): boolean {
  try {
    return document.createElement("canvas").getContext("webgl2") !== null;
  } catch {
    return false;
  }
}
