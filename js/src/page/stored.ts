/**
 * What stands in an exported page beside its look: elements that a browser never runs, each with a name.
 *
 * JSON is read when it is first wanted, bytes (as base64) each time; nothing of it ever becomes HTML.
 */

export class Stored {
  readonly #texts = new Map<string, Element>();
  readonly #read = new Map<string, unknown>();

  constructor(home: ParentNode) {
    for (const element of home.querySelectorAll("script[data-fal-nb]")) {
      this.#texts.set(element.getAttribute("data-fal-nb") ?? "", element);
    }
  }

  json(name: string): unknown {
    if (!this.#read.has(name)) {
      const text = this.#texts.get(name)?.textContent;
      this.#read.set(name, text == null ? undefined : JSON.parse(text));
    }
    return this.#read.get(name);
  }

  has(name: string): boolean {
    return this.#texts.has(name);
  }

  bytes(name: string): Uint8Array<ArrayBuffer> | undefined {
    const text = this.#texts.get(name)?.textContent;
    return text == null ? undefined : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  }
}
