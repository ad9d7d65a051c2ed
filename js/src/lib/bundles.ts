/** View bundles that arrive as text in parts and become modules; asked for again while they are missing. */

import type { Bundle } from "./messages";
import type { ViewModule } from "./widget";

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
const MOST_PARTS = 1_000;

export type LoadModule = (text: string, name: string) => Promise<ViewModule>;

export interface LoadedBundle {
  digest: string;
  module: ViewModule;
}

interface Incoming {
  digest: string;
  texts: Map<number, string>;
  parts: number;
}

interface Slot {
  loaded?: LoadedBundle;
  incoming?: Incoming;
  loading?: string;
  broken: Set<string>;
  timer?: ReturnType<typeof setTimeout>;
  waitMs: number;
}

interface Callbacks {
  ask(name: string): void;
  isWanted(name: string): boolean;
  ready(name: string): void;
}

export class Bundles {
  readonly #slots = new Map<string, Slot>();
  readonly #callbacks: Callbacks;
  readonly #load: LoadModule;
  #closed = false;

  constructor(callbacks: Callbacks, load: LoadModule = importText) {
    this.#callbacks = callbacks;
    this.#load = load;
  }

  get(name: string): LoadedBundle | undefined {
    return this.#slots.get(name)?.loaded;
  }

  /** Asks for a bundle unless it is here, under way, or known to be broken. */
  need(name: string): void {
    const slot = this.#slot(name);
    if (this.#closed || slot.loaded || slot.loading || slot.timer || slot.broken.size > 0) return;
    if (!slot.incoming) this.#callbacks.ask(name);
    slot.waitMs = FIRST_WAIT_MS;
    this.#askLater(name, slot);
  }

  receive(message: Bundle): void {
    const { name, digest, part, parts, text } = message;
    const slot = this.#slot(name);
    const isKnown = digest === (slot.loading ?? slot.loaded?.digest) || slot.broken.has(digest);
    const isSound = Number.isInteger(part) && part >= 0 && part < parts && parts <= MOST_PARTS;
    if (this.#closed || isKnown || !isSound || typeof text !== "string") return;
    if (slot.incoming?.digest !== digest || slot.incoming.parts !== parts) {
      slot.incoming = { digest, texts: new Map(), parts };
    }
    slot.incoming.texts.set(part, text);
    if (slot.incoming.texts.size === parts) {
      this.#complete(name, slot, slot.incoming);
    } else if (slot.timer) {
      slot.waitMs = FIRST_WAIT_MS;
      this.#askLater(name, slot);
    }
  }

  close(): void {
    this.#closed = true;
    for (const slot of this.#slots.values()) clearTimeout(slot.timer);
  }

  #slot(name: string): Slot {
    let slot = this.#slots.get(name);
    if (!slot) {
      slot = { broken: new Set(), waitMs: FIRST_WAIT_MS };
      this.#slots.set(name, slot);
    }
    return slot;
  }

  #askLater(name: string, slot: Slot): void {
    clearTimeout(slot.timer);
    slot.timer = setTimeout(() => {
      slot.timer = undefined;
      if (!this.#callbacks.isWanted(name)) return;
      this.#callbacks.ask(name);
      slot.waitMs = Math.min(slot.waitMs * 2, LONGEST_WAIT_MS);
      this.#askLater(name, slot);
    }, slot.waitMs);
  }

  #complete(name: string, slot: Slot, incoming: Incoming): void {
    const { digest, texts, parts } = incoming;
    const text = Array.from({ length: parts }, (_, part) => texts.get(part)).join("");
    clearTimeout(slot.timer);
    slot.timer = undefined;
    slot.incoming = undefined;
    slot.loading = digest;
    this.#load(text, name).then(
      (module) => {
        if (slot.loading !== digest) return;
        slot.loading = undefined;
        slot.loaded = { digest, module };
        if (!this.#closed) this.#callbacks.ready(name);
      },
      (error: unknown) => {
        slot.broken.add(digest);
        if (slot.loading === digest) slot.loading = undefined;
        console.error(`fal_nb: the view bundle ${name} could not be loaded`, error);
      },
    );
  }
}

async function importText(text: string, name: string): Promise<ViewModule> {
  const source = `${text}\n//# sourceURL=fal_nb/${name}.js\n`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const module = (await import(/* @vite-ignore */ url)) as { default: ViewModule };
    return module.default;
  } finally {
    URL.revokeObjectURL(url);
  }
}
