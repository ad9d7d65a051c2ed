/** A form in the page over a fake model. */

import { act } from "preact/test-utils";
import formModule from "../src/form";
import type { Field, Json } from "../src/lib/form_messages";
import { FakeModel } from "./fake_model";

let views = 0;

export function formState(fields: Field[], values: Json = {}): Record<string, unknown> {
  views += 1;
  return {
    view: `v${views}`,
    endpoint: "fal-ai/flux/dev",
    category: "text-to-image",
    backend: "simulator",
    fields: JSON.stringify(fields),
    left_out: 0,
    values: JSON.stringify(values),
    edit: ["", 0],
    looked: ["", 0],
    problems: [],
    cell: JSON.stringify("%fal run fal-ai/flux/dev"),
    price: "0.025 USD",
    error: "",
    is_starting: false,
    cards: [],
  };
}

export class Form {
  readonly el = document.createElement("div");
  readonly model: FakeModel;
  readonly #cleanUp: () => unknown;

  constructor(fields: Field[], values: Json = {}, manager?: unknown, model?: FakeModel) {
    document.body.append(this.el);
    this.model = model ?? new FakeModel({ state: formState(fields, values) });
    if (manager) Object.assign(this.model, { widget_manager: manager });
    let cleanUp: () => unknown = () => {};
    act(() => {
      cleanUp = formModule.render({ model: this.model, el: this.el });
    });
    this.#cleanUp = cleanUp;
  }

  close(): void {
    act(() => void this.#cleanUp());
    this.el.remove();
  }

  patch(patch: Record<string, unknown>): void {
    act(() => this.model.patch(patch));
  }

  deliver(content: unknown, buffers: ArrayBuffer[] = []): void {
    act(() => this.model.deliver(content, buffers));
  }

  field(name: string): HTMLElement {
    return this.el.querySelector(`.fal-nb-ffield[data-name="${name}"]`) as HTMLElement;
  }

  control<T extends HTMLElement = HTMLInputElement>(name: string, selector = "[id]:not([id*='-about'])"): T {
    return this.field(name).querySelector(`.fal-nb-fcontrol ${selector}`) as T;
  }

  /** Types into a control, or chooses in it. */
  type(control: HTMLElement, value: string): void {
    act(() => {
      (control as HTMLInputElement).value = value;
      control.dispatchEvent(
        new Event(control instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }),
      );
    });
  }

  check(box: HTMLInputElement, isOn: boolean): void {
    act(() => {
      box.checked = isOn;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  click(text: string, within: Element = this.el): void {
    const found = [...within.querySelectorAll("button")].find((button) =>
      button.textContent?.startsWith(text),
    );
    if (!found) throw new Error(`no button ${text}`);
    act(() => found.click());
  }

  /** The values of the newest message to the kernel. */
  sent(kind = "edit"): Json {
    const last = this.model.sentOf(kind).at(-1) as { values?: string } | undefined;
    return last?.values === undefined ? undefined : JSON.parse(last.values);
  }
}
