/**
 * Bytes of outputs: asked for by index, put together from parts, shown from Blob URLs.
 *
 * Only pictures, films, sounds and binary glTF become Blob URLs: such a URL has the page's own origin, so anything that
 * a browser would run (HTML, SVG) must never get one.
 */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  Buffers,
  CardMessage,
  MediaPart,
  MediaRequest,
  MediaSize,
  ModuleRequest,
  Output,
} from "./messages";
import { Modules } from "./modules";
import type { Viewer } from "./solid";

/** Bigger originals are loaded when asked for. */
export const AUTO_LOAD_BYTES = 24 * 1024 * 1024;

/** So long the bytes outlive the last view of them: the front end takes outputs away and puts them back. */
export const KEEP_MS = 30_000;

const MOST_PARTS = 10_000;
/** The one kind of mesh that is shown as a solid. */
export const GLB = "model/gltf-binary";

export interface Media {
  status: "idle" | "loading" | "ready" | "failed";
  url?: string;
  /** Share received, 0 to 1. */
  received?: number;
  error?: string;
}

interface Entry {
  media: Signal<Media>;
  about: string;
  kind: string;
  parts: Map<number, BlobPart>;
  shape: string;
  /** Holds the decoded picture, so that an element that shows it paints it at once. */
  image?: HTMLImageElement;
}

type Send = (request: MediaRequest | ModuleRequest) => void;

export class MediaStore {
  readonly #entries = new Map<string, Entry>();
  readonly #senders = new Set<Send>();
  readonly #modules = new Modules((name) => {
    const send = [...this.#senders].at(-1);
    send?.({ kind: "module", name });
    return send !== undefined;
  });
  #timer?: ReturnType<typeof setTimeout>;
  readonly #onEmpty: () => void;
  readonly #mostOriginals: number;

  /** Of more originals than `mostOriginals` those asked for longest ago are let go. */
  constructor(onEmpty: () => void = () => {}, mostOriginals = Number.POSITIVE_INFINITY) {
    this.#onEmpty = onEmpty;
    this.#mostOriginals = mostOriginals;
  }

  /** Begins to be used by one more view; returns how to end it. */
  hold(send: Send): () => void {
    clearTimeout(this.#timer);
    this.#senders.add(send);
    return () => {
      if (!this.#senders.delete(send) || this.#senders.size > 0) return;
      // What is still under way would be delivered to nobody; the next view asks again.
      for (const entry of this.#entries.values()) {
        if (entry.media.value.status === "loading") this.#reset(entry);
      }
      this.#modules.stop();
      this.#timer = setTimeout(() => this.#clear(), KEEP_MS);
    };
  }

  get(output: Output, which: MediaSize): ReadonlySignal<Media> {
    return this.#entry(output, which).media;
  }

  /** Takes notice of another file at the same place; the old picture stays until the new one is here. */
  follow(output: Output, which: MediaSize): void {
    const entry = this.#entry(output, which);
    const about = fingerprint(output);
    if (entry.about === about) return;
    entry.about = about;
    entry.kind = which === "thumbnail" ? "image" : output.kind;
    this.#reset(entry);
  }

  /** Asks for the bytes unless they are here, under way, or were refused. */
  request(output: Output, which: MediaSize): void {
    this.follow(output, which);
    const entry = this.#entry(output, which);
    const send = [...this.#senders].at(-1);
    if (which === "original") this.#renew(`${which}:${output.index}`, entry);
    if (!send || entry.media.value.status !== "idle") return;
    entry.media.value = { ...entry.media.value, status: "loading", received: 0 };
    send({ kind: "media", which, index: output.index });
  }

  /** What shows solids; its code is asked for when first wanted. */
  viewer(): Promise<Viewer> {
    return this.#modules.load() as Promise<Viewer>;
  }

  receive(message: CardMessage, buffers: Buffers): void {
    if (message?.kind === "module") this.#modules.receive(message, buffers[0]);
    if (message?.kind !== "media" && message?.kind !== "media-error") return;
    const entry = this.#entries.get(`${message.which}:${message.index}`);
    if (entry?.media.value.status !== "loading") return;
    if (message.kind === "media-error") this.#fail(entry, String(message.error || "not available"));
    else this.#take(entry, message, buffers[0]);
  }

  #take(entry: Entry, message: MediaPart, buffer: DataView | ArrayBuffer | undefined): void {
    const { part, parts, content_type, size_bytes } = message;
    const isSound = Number.isInteger(part) && part >= 0 && part < parts && parts <= MOST_PARTS;
    if (!buffer || !isSound) return;
    const shape = `${parts} ${content_type} ${size_bytes}`;
    if (entry.shape !== shape) {
      entry.parts.clear();
      entry.shape = shape;
    }
    entry.parts.set(part, buffer as BlobPart);
    if (entry.parts.size < parts) {
      entry.media.value = { ...entry.media.value, received: entry.parts.size / parts };
    } else {
      this.#complete(entry, String(content_type));
    }
  }

  #complete(entry: Entry, contentType: string): void {
    const type = displayType(contentType, entry.kind);
    const parts = [...entry.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
    entry.parts.clear();
    if (!type) {
      this.#fail(entry, `a file of type ${contentType} is not shown`);
      return;
    }
    const url = URL.createObjectURL(new Blob(parts, { type }));
    const { about } = entry;
    const show = () => {
      const isWanted = entry.media.value.status === "loading" && entry.about === about;
      if (isWanted && this.#isKept(entry)) this.#show(entry, url);
      else URL.revokeObjectURL(url);
    };
    if (!type.startsWith("image/")) {
      show();
      return;
    }
    entry.image = new Image();
    entry.image.src = url;
    if (typeof entry.image.decode === "function") entry.image.decode().then(show, show);
    else show();
  }

  #show(entry: Entry, url: string): void {
    const old = entry.media.value.url;
    entry.media.value = { status: "ready", url };
    if (old) URL.revokeObjectURL(old);
  }

  #fail(entry: Entry, error: string): void {
    entry.parts.clear();
    const old = entry.media.value.url;
    entry.media.value = { status: "failed", error };
    if (old) URL.revokeObjectURL(old);
  }

  #reset(entry: Entry): void {
    entry.parts.clear();
    entry.shape = "";
    entry.media.value = { status: "idle", url: entry.media.value.url };
  }

  #entry(output: Output, which: MediaSize): Entry {
    const key = `${which}:${output.index}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      const kind = which === "thumbnail" ? "image" : output.kind;
      const media = signal<Media>({ status: "idle" });
      entry = { media, about: fingerprint(output), kind, parts: new Map(), shape: "" };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #renew(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const ready = [...this.#entries].filter(
      ([name, { media }]) => name.startsWith("original:") && media.value.status === "ready",
    );
    for (const [name, old] of ready.slice(0, Math.max(0, ready.length - this.#mostOriginals))) {
      const { url } = old.media.value;
      old.media.value = { status: "idle" };
      old.image = undefined;
      this.#entries.delete(name);
      this.#entries.set(name, old);
      if (url) URL.revokeObjectURL(url);
    }
  }

  #isKept(entry: Entry): boolean {
    return [...this.#entries.values()].includes(entry);
  }

  #clear(): void {
    for (const { media } of this.#entries.values()) {
      const { url } = media.value;
      media.value = { status: "idle" };
      if (url) URL.revokeObjectURL(url);
    }
    this.#entries.clear();
    this.#onEmpty();
  }
}

const stores = new Map<string, MediaStore>();

/** The store of a view, shared by all places that show it. */
export function mediaStore(view: string | undefined): MediaStore {
  if (!view) return new MediaStore();
  let store = stores.get(view);
  if (!store) {
    store = new MediaStore(() => stores.delete(view));
    stores.set(view, store);
  }
  return store;
}

function fingerprint({ kind, file_name, content_type, size_bytes }: Output): string {
  return `${kind} ${file_name} ${content_type} ${size_bytes}`;
}

/** The type under which a Blob may be shown as `kind`, or undefined where it must not be shown. */
export function displayType(contentType: string, kind: string): string | undefined {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (kind === "mesh") return type === GLB ? GLB : undefined;
  const [family, rest] = type.split("/");
  const isMedia = family === "image" || family === "video" || family === "audio";
  if (!isMedia || family !== kind || !rest || !/^[a-z0-9][a-z0-9.+-]*$/.test(rest)) return undefined;
  return /svg|xml|html/.test(rest) ? undefined : type;
}
