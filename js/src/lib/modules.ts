/**
 * Code that a view needs only now and then: asked for when first wanted, put together from parts, imported from Blob
 * URLs, and shared by all views of the page, whatever bundle they come from.
 */

import type { Buffers, ModulePart } from "./messages";

/** In the order in which they are imported: a later one may import those before it as `fal-nb:NAME`. */
export const VIEWER_MODULES = ["three", "viewer"] as const;

const PATIENCE_MS = 20_000;
const MOST_PARTS = 1_000;
const SHARED = Symbol.for("fal_nb.modules");

export type ImportModules = (sources: ReadonlyMap<string, Blob>) => Promise<unknown>;

interface Incoming {
  about: string;
  parts: Map<number, BlobPart>;
}

interface Waiting {
  done: (module: unknown) => void;
  failed: (error: Error) => void;
  promise: Promise<unknown>;
}

export class Modules {
  readonly #ask: (name: string) => boolean;
  readonly #import: ImportModules;
  readonly #sources = new Map<string, Blob>();
  readonly #incoming = new Map<string, Incoming>();
  #waiting?: Waiting;
  #timer?: ReturnType<typeof setTimeout>;

  /** `ask` says whether there is anybody to ask. */
  constructor(ask: (name: string) => boolean, importAll: ImportModules = importSources) {
    this.#ask = ask;
    this.#import = importAll;
  }

  /** The last of the modules, once all are here; fails where none comes for a while, and may be tried again. */
  load(): Promise<unknown> {
    const shared = known().get(SHARED);
    if (shared) return shared;
    if (!this.#waiting) {
      let [done, failed]: [(module: unknown) => void, (error: Error) => void] = [() => {}, () => {}];
      const promise = new Promise<unknown>((yes, no) => {
        [done, failed] = [yes, no];
      });
      this.#waiting = { done, failed, promise };
      const missing = VIEWER_MODULES.filter((name) => !this.#sources.has(name));
      if (missing.every((name) => this.#ask(name))) this.#watch();
      else this.#fail("no kernel answers");
      if (missing.length === 0) this.#complete();
      return promise;
    }
    return this.#waiting.promise;
  }

  receive({ name, digest, part, parts }: ModulePart, buffer: Buffers[number] | undefined): void {
    const isSound = Number.isInteger(part) && part >= 0 && part < parts && parts <= MOST_PARTS;
    if (!buffer || !isSound || !(VIEWER_MODULES as readonly string[]).includes(name)) return;
    if (!this.#waiting || this.#sources.has(name)) return;
    const about = `${digest} ${parts}`;
    let incoming = this.#incoming.get(name);
    if (incoming?.about !== about) {
      incoming = { about, parts: new Map() };
      this.#incoming.set(name, incoming);
    }
    incoming.parts.set(part, buffer as BlobPart);
    this.#watch();
    if (incoming.parts.size < parts) return;
    const bytes = [...incoming.parts].sort(([a], [b]) => a - b).map(([, each]) => each);
    this.#incoming.delete(name);
    this.#sources.set(name, new Blob(bytes));
    if (VIEWER_MODULES.every((each) => this.#sources.has(each))) this.#complete();
  }

  /** Nobody is left who would get an answer. */
  stop(): void {
    this.#incoming.clear();
    if (this.#waiting) this.#fail("it is shown nowhere any more");
  }

  #complete(): void {
    clearTimeout(this.#timer);
    const shared = known();
    const module = shared.get(SHARED) ?? this.#import(this.#sources);
    shared.set(SHARED, module);
    module.then(
      (value) => this.#waiting?.done(value),
      (error: unknown) => {
        if (shared.get(SHARED) === module) shared.delete(SHARED);
        this.#sources.clear();
        this.#fail(String(error));
      },
    );
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail("it did not come; is the kernel busy?"), PATIENCE_MS);
  }

  #fail(why: string): void {
    clearTimeout(this.#timer);
    this.#waiting?.failed(new Error(why));
    this.#waiting = undefined;
  }
}

type Shared = Map<symbol, Promise<unknown>>;

/** What the page has loaded; on the window, because every bundle has a copy of this file. */
function known(): Shared {
  const page = globalThis as unknown as Record<symbol, Shared | undefined>;
  const shared = page[SHARED] ?? new Map();
  page[SHARED] = shared;
  return shared;
}

/** Imports modules one after the other, each with the URLs of those before it in its imports. */
async function importSources(sources: ReadonlyMap<string, Blob>): Promise<unknown> {
  const urls = new Map<string, string>();
  let last: { default?: unknown } = {};
  try {
    for (const name of VIEWER_MODULES) {
      let text = (await sources.get(name)?.text()) ?? "";
      for (const [other, url] of urls) text = text.replaceAll(`"fal-nb:${other}"`, JSON.stringify(url));
      const source = `${text}\n//# sourceURL=fal_nb/${name}.js\n`;
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      urls.set(name, url);
      last = (await import(/* @vite-ignore */ url)) as { default?: unknown };
    }
    return last.default;
  } finally {
    for (const url of urls.values()) URL.revokeObjectURL(url);
  }
}
