/** One static twin in the page, and the live view that may stand in its place. */

import type { LoadedBundle } from "./bundles";
import type { ViewModel } from "./view_model";
import type { CleanUp } from "./widget";

interface Live {
  root: HTMLElement;
  model: ViewModel;
  controller: AbortController;
  showStatic: () => void;
  cleanUp?: CleanUp;
}

export class Twin {
  readonly el: HTMLElement;
  readonly bundle: string;
  #live?: Live;
  #failed?: string;

  constructor(el: HTMLElement, bundle: string) {
    this.el = el;
    this.bundle = bundle;
  }

  /** The model of the live view, or undefined while the static content is shown. */
  get model(): ViewModel | undefined {
    return this.#live?.model;
  }

  /** Puts the live view in the place of the static content; a view that fails leaves the static content. */
  mount(bundle: LoadedBundle, model: ViewModel): void {
    if (this.#live || this.#failed === bundle.digest) return;
    const root = this.el.ownerDocument.createElement("div");
    root.className = "fal-nb-live";
    const showStatic = hideChildren(this.el);
    const live: Live = { root, model, controller: new AbortController(), showStatic };
    this.#live = live;
    this.el.append(root);
    try {
      const result = bundle.module.render({ model, el: root, signal: live.controller.signal });
      if (result instanceof Promise) {
        result.then(
          (cleanUp) => this.#keep(live, cleanUp),
          (error: unknown) => this.#fail(live, bundle.digest, error),
        );
      } else {
        this.#keep(live, result);
      }
    } catch (error) {
      this.#fail(live, bundle.digest, error);
    }
  }

  /** Takes the live view away and shows the static content again. */
  unmount(): void {
    const live = this.#live;
    if (!live) return;
    this.#live = undefined;
    live.controller.abort();
    runCleanUp(live.cleanUp);
    live.root.remove();
    live.showStatic();
  }

  // biome-ignore lint/suspicious/noConfusingVoidType: what a view's render gives back
  #keep(live: Live, cleanUp: CleanUp | void): void {
    if (typeof cleanUp !== "function") return;
    if (this.#live === live) live.cleanUp = cleanUp;
    else runCleanUp(cleanUp);
  }

  #fail(live: Live, digest: string, error: unknown): void {
    console.error(`fal_nb: the view ${this.bundle} failed, its static form stays`, error);
    this.#failed = digest;
    if (this.#live === live) this.unmount();
  }
}

function runCleanUp(cleanUp: CleanUp | undefined): void {
  try {
    cleanUp?.();
  } catch (error) {
    console.error("fal_nb: a view failed while it was taken away", error);
  }
}

/** Hides what is inside and returns how to show it again; nothing is moved out of the page. */
function hideChildren(el: HTMLElement): () => void {
  for (const node of [...el.childNodes]) {
    if (node.nodeType !== Node.TEXT_NODE || !node.textContent?.trim()) continue;
    const span = el.ownerDocument.createElement("span");
    node.replaceWith(span);
    span.append(node);
  }
  const hidden = [...el.children].filter(hasStyle).map((child) => {
    const value = child.style.getPropertyValue("display");
    const priority = child.style.getPropertyPriority("display");
    child.style.setProperty("display", "none", "important");
    return () => child.style.setProperty("display", value, priority);
  });
  return () => {
    for (const show of hidden) show();
  };
}

function hasStyle(element: Element): element is HTMLElement {
  return "style" in element;
}
