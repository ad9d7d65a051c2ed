/** Words to look for, sent once typing rests, at once with Enter. */

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Kept } from "./focus";

const WAIT_MS = 250;

interface WordsProps {
  class: string;
  placeholder: string;
  /** What the kernel looks for now. */
  asked: ReadonlySignal<string | undefined>;
  ask: (words: string) => void;
  live: Kept;
}

export function Words({ class: name, placeholder, asked, ask, live }: WordsProps) {
  // What was typed into the mount before this one, since the answer to a question puts the output anew.
  const typed = live.kept("typed") as string | undefined;
  const own = useSignal(typed ?? asked.peek() ?? "");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const input = useRef<HTMLInputElement>(null);
  const known = asked.value ?? "";
  useEffect(() => {
    // What was asked stands in the kernel's words otherwise: without spaces at its end, a long one cut.
    if (typed !== undefined && typed !== live.kept("asked")) timer.current = setTimeout(send, WAIT_MS);
    return () => clearTimeout(timer.current);
  }, []);
  useEffect(() => {
    if (live.kept("typed") === known) live.keep("typed", undefined);
    // What is being typed is newer than what the kernel says.
    const root = input.current?.getRootNode() as Document | ShadowRoot | undefined;
    if (root?.activeElement !== input.current) own.value = known;
  }, [known, own]);
  const send = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    live.keep("asked", own.peek());
    ask(own.peek());
  };
  return (
    <input
      ref={input}
      class={name}
      type="search"
      placeholder={placeholder}
      aria-label="words to look for"
      value={own.value}
      onInput={({ currentTarget }) => {
        own.value = currentTarget.value;
        live.keep("typed", own.peek());
        live.keep("asked", undefined);
        clearTimeout(timer.current);
        timer.current = setTimeout(send, WAIT_MS);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && timer.current !== undefined) send();
      }}
    />
  );
}
