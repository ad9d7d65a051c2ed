/** Foot of a form: what the call will cost, Run, the cell that makes the same call. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FormProps } from "./form_model";

export interface FooterProps extends FormProps {
  /** Writes the cell into the notebook, and says whether that was possible; nothing where the host lets nobody. */
  insert?: (source: string) => boolean;
}

export function Footer({ form, insert }: FooterProps) {
  const { live } = form;
  const isFresh = form.isFresh;
  const open = form.problems.length + form.own.value.size;
  const isStarting = live.field("is_starting").value === true;
  const error = live.field("error").value;
  return (
    <footer class="fal-nb-ffoot">
      {error && (
        <div class="fal-nb-fwrong" role="alert">
          {error}
        </div>
      )}
      <div class="fal-nb-fline">
        <button
          type="button"
          class="fal-nb-button fal-nb-primary"
          disabled={isStarting}
          title="Ctrl+Enter does the same"
          onClick={() => form.run()}
        >
          {isStarting ? "Starting …" : "Run"}
        </button>
        <Source form={form} insert={insert} isWrong={open > 0} />
        <span class="fal-nb-fprice" role="status" data-fresh={String(isFresh)}>
          {status(open, isFresh, live.field("price").value ?? "")}
        </span>
      </div>
      <div
        class="fal-nb-fcell"
        data-fresh={String(isFresh && open === 0)}
        title={open > 0 ? "the cell so far: it would be refused" : "the same call as a cell"}
      >
        {form.cell.value.replace(/\n$/, "")}
      </div>
    </footer>
  );
}

function status(open: number, isFresh: boolean, price: string): string {
  if (!isFresh) return "checking …";
  if (open > 0) return open === 1 ? "1 input to mend" : `${open} inputs to mend`;
  return price;
}

function Source({ form, insert, isWrong }: FooterProps & { isWrong: boolean }) {
  const said = useSignal("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const say = (words: string) => {
    said.value = words;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      said.value = "";
    }, 2500);
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(form.cell.value);
      say("copied");
    } catch {
      say("select the cell below to copy it");
    }
  };
  const write = () => {
    if (insert?.(form.cell.value)) say("written below");
    else void copy();
  };
  // A cell that is refused when it is run is none to take along.
  const isReady = form.cell.value !== "" && form.isFresh && !isWrong;
  const why = isWrong ? "mend the inputs first" : undefined;
  return (
    <>
      {insert && (
        <button type="button" class="fal-nb-button" disabled={!isReady} title={why} onClick={write}>
          Write cell
        </button>
      )}
      <button type="button" class="fal-nb-button" disabled={!isReady} title={why} onClick={() => void copy()}>
        Copy cell
      </button>
      <span class="fal-nb-quiet" role="status">
        {said.value}
      </span>
    </>
  );
}
