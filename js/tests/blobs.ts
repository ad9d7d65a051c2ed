/** Blob URLs as a browser hands them out, with a record of what is still held; jsdom has none. */

import { vi } from "vitest";

export class Blobs {
  readonly held = new Map<string, Blob>();
  readonly all: Blob[] = [];

  install(): void {
    const createObjectURL = (blob: Blob) => this.#create(blob);
    const revokeObjectURL = (url: string) => void this.held.delete(url);
    vi.stubGlobal("URL", Object.assign(class extends URL {}, { createObjectURL, revokeObjectURL }));
  }

  #create(blob: Blob): string {
    const url = `blob:test/${this.all.length}`;
    this.all.push(blob);
    this.held.set(url, blob);
    return url;
  }

  /** The bytes behind a URL, as text. */
  text(url: string | null | undefined): Promise<string> {
    const blob = this.held.get(url ?? "");
    return new Promise((resolve, reject) => {
      if (!blob) return reject(new Error(`nothing is held for ${url}`));
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result));
      reader.readAsText(blob);
    });
  }
}

export function bytes(text: string): DataView {
  // Inside a larger buffer, as the parts of a Jupyter message are.
  const all = new TextEncoder().encode(`..${text}..`);
  return new DataView(all.buffer, 2, all.length - 4);
}
