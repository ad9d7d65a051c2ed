/** A page with twins, a hub over a fake model, and a view that tells how it was mounted. */

import { Hub } from "../src/hub";
import type { RenderContext, ViewModule } from "../src/lib/widget";
import { FakeModel } from "./fake_model";

export const TOKEN = "falnb-3f9a";

export let model: FakeModel;
export let hub: Hub | undefined;
export let mounts: RenderContext[];
export let cleaned: RenderContext[];
export let loaded: string[];

/** A view that shows a title as text, and counts how it was mounted. */
export const view: ViewModule = {
  render(context) {
    mounts.push(context);
    const { model: own, el } = context;
    const paint = () => {
      el.textContent = String((own.get("state") as { title?: string }).title);
    };
    paint();
    own.on("change:state", paint);
    return () => cleaned.push(context);
  },
};

export function begin(): void {
  document.body.replaceChildren();
  model = new FakeModel({ token: TOKEN });
  mounts = [];
  cleaned = [];
  loaded = [];
}

export function end(): void {
  hub?.close();
  hub = undefined;
}

export function open(load: (text: string) => Promise<ViewModule> = async () => view): Hub {
  hub = new Hub(model, {
    load: (text) => {
      loaded.push(text);
      return load(text);
    },
  });
  return hub;
}

export function twin(id: string, { bundle = "card", token = TOKEN } = {}): HTMLElement {
  const el = document.createElement("div");
  el.id = `${token}-${id}`;
  el.dataset.falView = bundle;
  const still = document.createElement("p");
  still.textContent = "static";
  still.style.display = "flex";
  el.append(still);
  return el;
}

export function place(id: string): HTMLElement {
  const el = twin(id);
  document.body.append(el);
  return el;
}

export function bundle(text = "code", digest = "d1", part = 0, parts = 1) {
  return { kind: "bundle", name: "card", digest, part, parts, text };
}

export function tick(views: Record<string, object>, more: object = {}) {
  return { kind: "tick", now: Date.now() / 1000, views, ...more };
}

export function live(el: HTMLElement): string | null {
  return el.querySelector(".fal-nb-live")?.textContent ?? null;
}

export function isStaticShown(el: HTMLElement): boolean {
  const still = el.querySelector("p");
  return still?.style.display === "flex" && still.style.getPropertyPriority("display") === "";
}

/** Lets promises and mutation observers run. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
