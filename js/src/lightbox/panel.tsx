/** Caption and arguments of the lightbox: what this call is, and what differs from its neighbour. */

import { type Signal, signal } from "@preact/signals";
import type PhotoSwipe from "photoswipe";
import { render } from "preact";
import { type Difference, differences, flatten, valueWords } from "../compare/argument_diff";
import { Words as DiffWords } from "../compare/diff_words";
import type { Slides } from "./slides";

const MOST_LINES = 200;

/** Whether the arguments are shown; kept from one opening to the next. */
export const isOpen = signal(false);

interface Props {
  slides: Slides;
  at: Signal<number>;
}

export function addPanel(swipe: PhotoSwipe, slides: Slides): void {
  const at = signal(swipe.currIndex);
  const toggle = () => {
    isOpen.value = !isOpen.value;
  };
  const unfollow = isOpen.subscribe((value) => {
    swipe.element?.classList.toggle("fal-nb-beside", value);
    if (swipe.opener.isOpen) swipe.updateSize(true);
  });
  swipe.on("change", () => {
    at.value = swipe.currIndex;
  });
  swipe.on("falNbPanel" as never, toggle);
  swipe.ui?.registerElement({
    name: "fal-nb-info",
    order: 9,
    isButton: true,
    tagName: "button",
    title: "Arguments (i)",
    ariaLabel: "Arguments",
    onInit: (el) => {
      el.textContent = "i";
    },
    onClick: toggle,
  });
  let host: HTMLElement | undefined;
  swipe.ui?.registerElement({
    name: "fal-nb-panel",
    appendTo: "root",
    isButton: false,
    onInit: (el) => {
      host = el;
      render(<Panel slides={slides} at={at} />, el);
    },
  });
  swipe.on("destroy", () => {
    unfollow();
    if (host) render(null, host);
  });
}

function Panel({ slides, at }: Props) {
  const slide = slides.slide(at.value);
  const words = slides.words(at.value).value;
  return (
    <>
      <div class="fal-nb-lcaption" role="status" aria-live="polite">
        <div class="fal-nb-ltitle">{slide.title}</div>
        <div class="fal-nb-lfacts">{slide.facts.join(" · ")}</div>
        <Missing slides={slides} at={at} />
        <Neighbour slides={slides} at={at} isBrief />
      </div>
      {isOpen.value && (
        <aside
          class="fal-nb-lpanel"
          aria-label="arguments"
          // The lightbox drags and zooms by what the pointer does; here it selects text and scrolls.
          onPointerDown={stop}
          onWheel={stop}
          onClick={stop}
          onKeyDown={() => {}}
        >
          <h2>Arguments</h2>
          {words?.arguments ? <Leaves values={words.arguments} /> : <p>…</p>}
          {words?.request_id && <p class="fal-nb-lrequest">request {words.request_id}</p>}
          {words?.reason && <p>{words.reason}</p>}
          <Neighbour slides={slides} at={at} isBrief={false} />
        </aside>
      )}
    </>
  );
}

/** Why its original is not to be had, where that is so: what is seen then is the small picture. */
function Missing({ slides, at }: Props) {
  const { output } = slides.slide(at.value);
  const original = output && output.index >= 0 ? slides.media.get(output, "original").value : undefined;
  return original?.status === "failed" ? <div class="fal-nb-lmissing">{original.error}</div> : null;
}

function Leaves({ values }: { values: Readonly<Record<string, unknown>> }) {
  return (
    <dl>
      {[...flatten(values)].slice(0, MOST_LINES).map(([path, value]) => (
        <div key={path}>
          <dt>{path}</dt>
          <dd>{valueWords(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What differs from the one before, or, for the first, from the one after. */
function Neighbour({ slides, at, isBrief }: Props & { isBrief: boolean }) {
  const here = at.value;
  const other = here > 0 ? here - 1 : here + 1;
  if (other >= slides.count) return null;
  const [own, its] = [slides.words(here).value?.arguments, slides.words(other).value?.arguments];
  if (!own || !its) return <div class="fal-nb-lneighbour">&nbsp;</div>;
  const found = differences([its, own]);
  const name = other < here ? "the one before" : "the one after";
  if (found.length === 0) return <div class="fal-nb-lneighbour">the same arguments as {name}</div>;
  if (isBrief) {
    return <div class="fal-nb-lneighbour">{`differs from ${name}: ${found.map(brief).join(", ")}`}</div>;
  }
  return (
    <>
      <h2>{`Differs from ${name}`}</h2>
      <dl>
        {found.map(({ path, values }) => (
          <div key={path}>
            <dt>{path}</dt>
            <dd>
              <DiffWords before={values[0]} after={values[1]} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function brief({ path, values }: Difference): string {
  const [before, after] = values.map(valueWords) as [string, string];
  return before.length + after.length > 40 ? path : `${path} ${before} → ${after}`;
}

function stop(event: Event): void {
  event.stopPropagation();
}
