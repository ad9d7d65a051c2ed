/**
 * The hub: finds the static twins that carry its session token and mounts the live views inside them.
 *
 * It is never displayed itself. An id is a key into Python's table, never authority; it may occur many times.
 */

import { Bundles, type LoadModule } from "./lib/bundles";
import { watchKernel } from "./lib/kernel_watch";
import type { Buffers, Tick, ToKernel, ToPage, ViewState } from "./lib/messages";
import { Twin } from "./lib/twin";
import { ViewModel } from "./lib/view_model";
import type { InitializeContext, WidgetModel } from "./lib/widget";

interface View {
  id: string;
  state?: ViewState;
  /** Python said that it does not know it; a tick may bring it back. */
  isGone: boolean;
  local: Map<string, unknown>;
  twins: Set<Twin>;
}

/** What each view keeps in the page, by its id. */
type Locals = Map<string, Map<string, unknown>>;

interface Options {
  load?: LoadModule;
  locals?: Locals;
}

/** Hubs of this page by token, so that a model made anew takes over from the one before it. */
const HUBS = Symbol.for("fal_nb.hubs");

/** What views keep, by token: it outlives the hub, as what was typed must outlive a connection that was lost. */
const LOCALS = Symbol.for("fal_nb.locals");

export class Hub {
  readonly #locals: Locals;
  readonly #model: WidgetModel;
  readonly #prefix: string;
  readonly #page = randomId();
  readonly #bundles: Bundles;
  readonly #views = new Map<string, View>();
  readonly #twins = new Map<HTMLElement, { twin: Twin; view: View }>();
  readonly #observer: MutationObserver;
  readonly #stopWatching: () => void;
  #nowOffset?: number;
  #closed = false;

  constructor(model: WidgetModel, { load, locals = new Map() }: Options = {}) {
    this.#model = model;
    this.#locals = locals;
    this.#prefix = `${model.get("token")}-`;
    this.#bundles = new Bundles(
      {
        ask: (bundle) => this.#send({ kind: "need", bundle }),
        isWanted: (name) => [...this.#twins.values()].some(({ twin }) => twin.bundle === name),
        ready: (name) => this.#remount(name),
      },
      load,
    );
    this.#observer = new MutationObserver((records) => this.#onMutations(records));
    this.#stopWatching = watchKernel(model, this.close, () => this.#sayHello());
    model.on("msg:custom", this.#onMessage);
    this.#sayHello();
    if (this.#closed) return;
    this.#scan(document.body);
    this.#observer.observe(document.body, { childList: true, subtree: true });
    window.addEventListener("pagehide", this.#onPageHide);
  }

  /** Shows every static twin again and listens no more. */
  readonly close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#observer.disconnect();
    window.removeEventListener("pagehide", this.#onPageHide);
    this.#bundles.close();
    this.#stopWatching();
    this.#model.off("msg:custom", this.#onMessage);
    for (const { twin } of this.#twins.values()) twin.unmount();
    this.#twins.clear();
    this.#views.clear();
  };

  readonly #onMessage = (message: ToPage, buffers?: Buffers): void => {
    if (message?.kind === "tick") this.#onTick(message, buffers ?? []);
    else if (message?.kind === "bundle") this.#bundles.receive(message);
    else if (message?.kind === "frame") this.#deliver(message.view, message.content, buffers ?? []);
    else if (message?.kind === "gone") this.#onGone(message.view);
  };

  #onTick({ now, views = {}, messages = [] }: Tick, buffers: Buffers): void {
    if (Number.isFinite(now)) {
      // A message can be late but never early, so the smallest difference is the best one.
      this.#nowOffset = Math.min(this.#nowOffset ?? Number.POSITIVE_INFINITY, Date.now() / 1000 - now);
    }
    for (const [id, patch] of Object.entries(views)) {
      const view = this.#view(id);
      view.state = { ...view.state, ...patch };
      view.isGone = false;
    }
    for (const id of Object.keys(views)) {
      const view = this.#view(id);
      for (const twin of view.twins) {
        if (twin.model) twin.model.emit("change:state");
        else this.#show(view, twin);
      }
    }
    for (const { view, content, buffers: places = [] } of messages) {
      const own = places.map((place) => buffers[place]).filter((buffer) => buffer !== undefined);
      this.#deliver(view, content, own);
    }
  }

  #deliver(view: string, content: unknown, buffers: Buffers): void {
    for (const twin of this.#views.get(view)?.twins ?? []) twin.model?.emit("msg:custom", content, buffers);
  }

  #onGone(id: string): void {
    const view = this.#views.get(id);
    if (!view) return;
    view.state = undefined;
    view.isGone = true;
    for (const twin of view.twins) twin.unmount();
    if (view.twins.size === 0) this.#forget(id);
  }

  #forget(id: string): void {
    this.#views.delete(id);
    this.#locals.delete(id);
  }

  #onMutations(records: MutationRecord[]): void {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) {
        if (node instanceof HTMLElement) this.#scan(node);
      }
    }
    if (records.some(({ removedNodes }) => removedNodes.length > 0)) this.#dropDisconnected();
  }

  #scan(root: HTMLElement): void {
    if (root.dataset.falView) this.#adopt(root);
    for (const el of root.querySelectorAll<HTMLElement>("[data-fal-view]")) this.#adopt(el);
  }

  #adopt(el: HTMLElement): void {
    const bundle = el.dataset.falView;
    if (this.#closed || !bundle || !el.id.startsWith(this.#prefix)) return;
    if (!el.isConnected || this.#twins.has(el)) return;
    const view = this.#view(el.id.slice(this.#prefix.length));
    const twin = new Twin(el, bundle);
    this.#twins.set(el, { twin, view });
    view.twins.add(twin);
    if (view.twins.size === 1 || view.isGone) this.#sayMount(view);
    this.#bundles.need(bundle);
    this.#show(view, twin);
  }

  /** A closed tab tells nobody by itself, and a session that nobody sees may be paid for by the second. */
  readonly #onPageHide = (): void => {
    for (const view of this.#views.values()) {
      if (view.twins.size > 0 && !view.isGone) this.#sayUnmount(view);
    }
  };

  #dropDisconnected(): void {
    for (const [el, { twin, view }] of this.#twins) {
      if (el.isConnected) continue;
      this.#twins.delete(el);
      view.twins.delete(twin);
      twin.unmount();
      if (view.twins.size > 0) continue;
      if (view.isGone) this.#forget(view.id);
      else this.#sayUnmount(view);
    }
  }

  #show(view: View, twin: Twin): void {
    const bundle = this.#bundles.get(twin.bundle);
    if (!bundle || !view.state) return;
    const model = new ViewModel({
      local: view.local,
      state: () => view.state ?? {},
      nowOffset: () => this.#nowOffset,
      manager: managerOf(this.#model),
      send: (content, buffers) => this.#send({ kind: "event", view: view.id, content }, buffers),
    });
    twin.mount(bundle, model);
  }

  #remount(name: string): void {
    for (const { twin, view } of this.#twins.values()) {
      if (twin.bundle !== name) continue;
      twin.unmount();
      this.#show(view, twin);
    }
  }

  #view(id: string): View {
    let view = this.#views.get(id);
    if (!view) {
      const local = this.#locals.get(id) ?? new Map<string, unknown>();
      this.#locals.set(id, local);
      view = { id, isGone: false, local, twins: new Set() };
      this.#views.set(id, view);
    }
    return view;
  }

  #sayHello(): void {
    this.#send({ kind: "hello", page: this.#page });
    for (const view of this.#views.values()) {
      if (view.twins.size > 0) this.#sayMount(view);
    }
  }

  #sayMount(view: View): void {
    this.#send({ kind: "mount", view: view.id, page: this.#page });
  }

  #sayUnmount(view: View): void {
    this.#send({ kind: "unmount", view: view.id, page: this.#page });
  }

  #send(content: ToKernel, buffers?: Buffers): void {
    if (this.#closed) return;
    try {
      if (buffers) this.#model.send(content, undefined, buffers);
      else this.#model.send(content);
    } catch (error) {
      console.warn("fal_nb: the kernel cannot be reached, the static views are shown", error);
      this.close();
    }
  }
}

function initialize({ model, signal }: InitializeContext, { load }: Options = {}): () => void {
  const page = window as unknown as { [HUBS]?: Map<unknown, Hub>; [LOCALS]?: Map<unknown, Locals> };
  page[HUBS] ??= new Map();
  page[LOCALS] ??= new Map();
  const hubs = page[HUBS];
  const token = model.get("token");
  hubs.get(token)?.close();
  const locals = page[LOCALS].get(token) ?? new Map();
  page[LOCALS].set(token, locals);
  const hub = new Hub(model, { load, locals });
  hubs.set(token, hub);
  const close = () => {
    hub.close();
    if (hubs.get(token) === hub) hubs.delete(token);
  };
  signal?.addEventListener("abort", close);
  return close;
}

function managerOf(model: WidgetModel): unknown {
  try {
    return (model as { widget_manager?: unknown }).widget_manager;
  } catch {
    return undefined;
  }
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

export default { initialize };
