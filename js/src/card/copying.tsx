/** Copies the call of a card as source to be pasted: as a magic, Python, JavaScript or a curl line. */

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { copyText } from "../lib/clipboard";
import type { CardMessage, CopyForm } from "../lib/messages";
import type { CardModel, CardProps } from "./card_model";

const FORMS: readonly [CopyForm, string][] = [
  ["magic", "magic"],
  ["python", "Python"],
  ["javascript", "JavaScript"],
  ["curl", "curl"],
];
const SAID_MS = 2_500;
const WHY_MS = 8_000;

/** What is being copied from one card: the kernel writes the source, the page puts it on the clipboard. */
export class Copying {
  readonly isOpen = signal(false);
  readonly said = signal("");
  readonly why = signal("");
  readonly #card: CardModel;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(card: CardModel) {
    this.#card = card;
  }

  ask(form: CopyForm): void {
    this.isOpen.value = false;
    this.#say("waiting");
    this.#card.send({ kind: "copy", form });
  }

  receive(message: CardMessage | undefined): void {
    if (message?.kind !== "copied") return;
    if (typeof message.text === "string") void this.#put(message.text);
    else this.#say("not copied", String(message.error ?? ""), WHY_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #put(text: string): Promise<void> {
    if (await copyText(text)) this.#say("copied", "", SAID_MS);
    else this.#say("not copied", "The browser lets no page write to the clipboard here.", WHY_MS);
  }

  /** Until something else is said, or for so long. */
  #say(words: string, why = "", milliseconds?: number): void {
    clearTimeout(this.#timer);
    this.said.value = words;
    this.why.value = why;
    if (milliseconds !== undefined) this.#timer = setTimeout(() => this.#say(""), milliseconds);
  }
}

export function CopyAs({ card, copying }: CardProps & { copying: Copying }) {
  const toggle = useRef<HTMLButtonElement>(null);
  const isOpen = copying.isOpen.value;
  if (card.field("can_copy").value !== true) return null;
  const close = () => {
    copying.isOpen.value = false;
    toggle.current?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    close();
  };
  const { said, why } = { said: copying.said.value, why: copying.why.value };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes it from any of its buttons
    <span class="fal-nb-copying" onKeyDown={onKeyDown}>
      {isOpen && (
        <Forms
          copy={(form) => {
            copying.ask(form);
            close();
          }}
        />
      )}
      <button
        type="button"
        ref={toggle}
        class="fal-nb-button fal-nb-copyas"
        aria-expanded={isOpen}
        title={why || "copy this call as a magic, Python, JavaScript or curl"}
        onClick={() => {
          copying.isOpen.value = !isOpen;
        }}
      >
        {said || "copy as"}
      </button>
      <span class="fal-nb-spoken" role="status">
        {[said, why].filter(Boolean).join(": ")}
      </span>
    </span>
  );
}

function Forms({ copy }: { copy: (form: CopyForm) => void }) {
  const group = useRef<HTMLSpanElement>(null);
  // Before the next key can come: with the focus left behind, Tab would lead past what has just opened.
  useLayoutEffect(() => group.current?.querySelector("button")?.focus({ preventScroll: true }), []);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is drawn with a frame of its own
    <span class="fal-nb-forms" role="group" aria-label="copy this call as" ref={group}>
      {FORMS.map(([form, words]) => (
        <button type="button" key={form} class="fal-nb-button" onClick={() => copy(form)}>
          {words}
        </button>
      ))}
    </span>
  );
}
