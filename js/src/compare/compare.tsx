/** Compares two to four outputs above the page: slider, side by side, difference; films in step; arguments. */

import { signal } from "@preact/signals";
import { render } from "preact";
import { addStyle } from "../lib/style";
import themeCss from "../lib/theme.css?inline";
import type { Owner } from "../lightbox/lightbox";
import type { Slides } from "../lightbox/slides";
import compareCss from "./compare.css?inline";
import { Deltas } from "./deltas";
import { PanZoom } from "./pan_zoom";
import { DifferencePane, SideBySide, SliderPane } from "./panes";

const MODES = ["side by side", "slider", "difference"] as const;
type Mode = (typeof MODES)[number];

const ZOOM_STEP = 1.4;
const PAN_STEP = 0.08;

/** Opens the comparison; returns how to close it. */
export function openCompare(slides: Slides, owner?: Owner): () => void {
  const before = document.activeElement;
  const dialog = document.createElement("dialog");
  dialog.className = "fal-nb-compare fal-nb-theme";
  dialog.setAttribute("aria-label", "compare outputs");
  // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
  dialog.dataset.lmSuppressShortcuts = "true";
  document.body.append(dialog);
  addStyle(dialog, "theme", themeCss);
  addStyle(dialog, "compare", compareCss);
  const panZoom = new PanZoom();
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    forget?.();
    render(null, dialog);
    dialog.remove();
    // A point of a plot is no HTML, and takes the focus as well.
    if (before instanceof HTMLElement || before instanceof SVGElement) before.focus({ preventScroll: true });
  };
  const forget = owner?.opened(close);
  dialog.addEventListener("cancel", close);
  dialog.addEventListener("close", close);
  dialog.addEventListener("keydown", (event) => onKey(event, panZoom, close));
  render(<Compare slides={slides} panZoom={panZoom} close={close} />, dialog);
  if (typeof dialog.showModal === "function") dialog.showModal();
  else dialog.setAttribute("open", "");
  dialog.querySelector<HTMLElement>("[data-first]")?.focus();
  return close;
}

interface Props {
  slides: Slides;
  panZoom: PanZoom;
  close: () => void;
}

/** The mode in which the last comparison was left. */
const mode = signal<Mode>("side by side");

function Compare({ slides, panZoom, close }: Props) {
  const all = Array.from({ length: slides.count }, (_, at) => at);
  const isPair = slides.count === 2;
  const hasOnlyPictures = all.every((at) => slides.slide(at).output?.kind === "image");
  const allowed = MODES.filter((each) => each === "side by side" || (isPair && hasOnlyPictures));
  const shown = allowed.includes(mode.value) ? mode.value : "side by side";
  return (
    <>
      <header class="fal-nb-chead">
        <strong>Compare {slides.count}</strong>
        <span class="fal-nb-cmodes">
          {MODES.map((each) => (
            <button
              key={each}
              type="button"
              class="fal-nb-button"
              aria-pressed={shown === each}
              data-first={shown === each ? "" : undefined}
              disabled={!allowed.includes(each)}
              title={allowed.includes(each) ? undefined : "for two pictures"}
              onClick={() => {
                mode.value = each;
              }}
            >
              {each}
            </button>
          ))}
        </span>
        <span class="fal-nb-czoom">
          <button
            type="button"
            class="fal-nb-button"
            aria-label="zoom out"
            onClick={() => panZoom.by(1 / ZOOM_STEP)}
          >
            −
          </button>
          <button
            type="button"
            class="fal-nb-button"
            title="show the whole picture"
            onClick={() => panZoom.reset()}
          >
            {Math.round(panZoom.zoom.value.scale * 100)} %
          </button>
          <button
            type="button"
            class="fal-nb-button"
            aria-label="zoom in"
            onClick={() => panZoom.by(ZOOM_STEP)}
          >
            +
          </button>
        </span>
        <button
          type="button"
          class="fal-nb-button fal-nb-cclose"
          aria-label="close"
          title="Close (Esc)"
          onClick={close}
        >
          ×
        </button>
      </header>
      {shown === "side by side" && <SideBySide slides={slides} panZoom={panZoom} />}
      {shown === "slider" && <SliderPane slides={slides} panZoom={panZoom} />}
      {shown === "difference" && <DifferencePane slides={slides} panZoom={panZoom} />}
      <Deltas slides={slides} />
    </>
  );
}

const PANS: Record<string, readonly [number, number]> = {
  ArrowLeft: [PAN_STEP, 0],
  ArrowRight: [-PAN_STEP, 0],
  ArrowUp: [0, PAN_STEP],
  ArrowDown: [0, -PAN_STEP],
};

function onKey(event: KeyboardEvent, panZoom: PanZoom, close: () => void): void {
  event.stopPropagation();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isInField = (event.target as Element).matches("input, select, video, audio");
  const pan = PANS[event.key];
  if (event.key === "Escape") close();
  else if (event.key === "+" || event.key === "=") panZoom.by(ZOOM_STEP);
  else if (event.key === "-") panZoom.by(1 / ZOOM_STEP);
  else if (event.key === "0") panZoom.reset();
  else if (pan && !isInField && panZoom.zoom.peek().scale > 1) panZoom.pan(...pan);
  else return;
  event.preventDefault();
}
