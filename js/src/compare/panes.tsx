/** The panes of a comparison: beside each other, over each other with a slider, or their difference. */

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { InStep } from "../lib/in_step";
import { GLB } from "../lib/media";
import type { Output } from "../lib/messages";
import { showSolid } from "../lib/solid";
import type { Slides } from "../lightbox/slides";
import { drawDifference } from "./difference";
import { listen, PanZoom } from "./pan_zoom";

interface Props {
  slides: Slides;
  panZoom: PanZoom;
}

const LETTERS = ["A", "B", "C", "D"];

export function SideBySide({ slides, panZoom }: Props) {
  const step = useMemo(() => new InStep(), []);
  const all = Array.from({ length: slides.count }, (_, at) => at);
  const plays = all.some((at) => ["video", "audio"].includes(slides.slide(at).output?.kind ?? ""));
  useEffect(() => () => step.pause(), [step]);
  return (
    <>
      <div class="fal-nb-cpanes" data-count={slides.count}>
        {all.map((at) => (
          <figure key={at} class="fal-nb-cfigure">
            <Pane panZoom={panZoom}>
              <Media slides={slides} at={at} panZoom={panZoom} step={step} />
            </Pane>
            <Caption slides={slides} at={at} />
          </figure>
        ))}
      </div>
      {plays && <Transport step={step} />}
    </>
  );
}

export function SliderPane({ slides, panZoom }: Props) {
  const share = useSignal(50);
  const ref = useRef<HTMLDivElement>(null);
  useLinked(ref, panZoom);
  const drag = (event: PointerEvent) => {
    const box = ref.current?.getBoundingClientRect();
    if (box?.width) share.value = Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width));
  };
  return (
    <div class="fal-nb-cslider">
      <div class="fal-nb-cpane" ref={ref}>
        <Media slides={slides} at={0} panZoom={panZoom} />
        <div class="fal-nb-cover" style={{ clipPath: `inset(0 0 0 ${share.value}%)` }}>
          <Media slides={slides} at={1} panZoom={panZoom} />
        </div>
        <span class="fal-nb-cletter">A</span>
        <span class="fal-nb-cletter" data-right="true">
          B
        </span>
        <button
          type="button"
          class="fal-nb-chandle"
          tabIndex={-1}
          aria-hidden="true"
          style={{ left: `${share.value}%` }}
          onPointerDown={(event) => event.currentTarget.setPointerCapture?.(event.pointerId)}
          onPointerMove={(event) => {
            if (event.buttons & 1) drag(event);
          }}
        />
      </div>
      <input
        type="range"
        min="0"
        max="100"
        step="1"
        aria-label="how much of the left picture is seen"
        value={share.value}
        onInput={({ currentTarget }) => {
          share.value = Number(currentTarget.value);
        }}
      />
      <div class="fal-nb-cpair">
        <Caption slides={slides} at={0} />
        <Caption slides={slides} at={1} />
      </div>
    </div>
  );
}

const GAINS = [1, 4, 16];

export function DifferencePane({ slides, panZoom }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  const gain = useSignal(4);
  const words = useSignal("loading both pictures…");
  useLinked(pane, panZoom);
  const [a, b] = [useUrl(slides, 0), useUrl(slides, 1)];
  useEffect(() => {
    if (!a.isOriginal || !b.isOriginal || !a.url || !b.url || !canvas.current) return;
    drawDifference(canvas.current, a.url, b.url).then(
      (mean) => {
        words.value = mean === 0 ? "no difference at all" : `mean difference ${(mean * 100).toFixed(2)} %`;
      },
      () => {
        words.value = "the difference cannot be drawn";
      },
    );
  }, [a.url, b.url, a.isOriginal, b.isOriginal, words]);
  return (
    <div class="fal-nb-cslider">
      <div class="fal-nb-cpane" ref={pane}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={words.value}
          class="fal-nb-cmedia"
          style={{ ...PanZoom.style(panZoom.zoom.value), filter: `brightness(${gain.value})` }}
        />
      </div>
      <div class="fal-nb-cpair">
        <span role="status">{words}</span>
        <label>
          <span>amplified </span>
          <select
            value={String(gain.value)}
            onChange={({ currentTarget }) => {
              gain.value = Number(currentTarget.value);
            }}
          >
            {GAINS.map((each) => (
              <option key={each} value={String(each)}>
                {each} ×
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  );
}

function Pane({ panZoom, children }: { panZoom: PanZoom; children: preact.ComponentChildren }) {
  const ref = useRef<HTMLDivElement>(null);
  useLinked(ref, panZoom);
  return (
    <div class="fal-nb-cpane" ref={ref}>
      {children}
    </div>
  );
}

function Media({ slides, at, panZoom, step }: Props & { at: number; step?: InStep }) {
  const slide = slides.slide(at);
  const { url } = useUrl(slides, at);
  const ref = useRef<HTMLMediaElement>(null);
  const kind = slide.output?.kind;
  const style = PanZoom.style(panZoom.zoom.value);
  useEffect(() => (step && ref.current && url ? step.add(ref.current) : undefined), [step, url]);
  if (kind === "video" && url) {
    return (
      <video
        ref={ref as never}
        class="fal-nb-cmedia"
        src={url}
        muted
        playsInline
        style={style}
        aria-label={slide.title}
      />
    );
  }
  if (kind === "audio" && url) {
    // biome-ignore lint/a11y/useMediaCaption: an endpoint's sound comes without captions
    return <audio ref={ref as never} class="fal-nb-csound" src={url} controls aria-label={slide.title} />;
  }
  if (slide.output?.content_type === GLB) return <Solid slides={slides} at={at} output={slide.output} />;
  if (kind === "image" && url) {
    return <img class="fal-nb-cmedia" src={url} alt={slide.title} draggable={false} style={style} />;
  }
  const words = slides.words(at).value;
  return <div class="fal-nb-cwords">{kind === "image" ? "…" : words?.text || slide.text}</div>;
}

function Solid({ slides, at, output }: { slides: Slides; at: number; output: Output }) {
  const host = useRef<HTMLDivElement>(null);
  const said = useSignal("");
  const { title } = slides.slide(at);
  useEffect(() => {
    if (!host.current) return undefined;
    const say = (words: string) => {
      said.value = words;
    };
    return showSolid(host.current, slides.media, output, title, { say });
  }, [slides, output, title, said]);
  return (
    <>
      <div class="fal-nb-cmedia" ref={host} />
      {said.value && (
        <div class="fal-nb-cwords" role="status">
          {said}
        </div>
      )}
    </>
  );
}

function Caption({ slides, at }: { slides: Slides; at: number }) {
  const { title, facts } = slides.slide(at);
  return (
    <figcaption class="fal-nb-ccaption" title={title}>
      <b>{LETTERS[at]}</b>
      <span>{title}</span>
      <span class="fal-nb-quiet">{facts.join(" · ")}</span>
    </figcaption>
  );
}

/** Plays, pauses and seeks all films at once. */
function Transport({ step }: { step: InStep }) {
  const isPlaying = useSignal(false);
  const at = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => {
      isPlaying.value = step.isPlaying;
      at.value = step.duration ? step.time / step.duration : 0;
    }, 200);
    return () => clearInterval(timer);
  }, [step, isPlaying, at]);
  return (
    <div class="fal-nb-ctransport">
      <button
        type="button"
        class="fal-nb-button"
        onClick={() => {
          if (step.isPlaying) step.pause();
          else step.play();
          isPlaying.value = step.isPlaying;
        }}
      >
        {isPlaying.value ? "❚❚ Pause" : "▶ Play in step"}
      </button>
      <input
        type="range"
        min="0"
        max="1"
        step="0.001"
        aria-label="time"
        value={at.value}
        onInput={({ currentTarget }) => step.seek(Number(currentTarget.value) * step.duration)}
      />
    </div>
  );
}

function useLinked(ref: RefObject<HTMLDivElement | null>, panZoom: PanZoom): void {
  useEffect(() => (ref.current ? listen(ref.current, panZoom) : undefined), [ref, panZoom]);
}

/** The original's URL once it is here, the thumbnail's of a picture until then. */
function useUrl(slides: Slides, at: number): { url?: string; isOriginal: boolean } {
  const { output } = slides.slide(at);
  useEffect(() => {
    if (output) slides.media.request(output, "original");
  }, [output, slides]);
  const original = output && slides.media.get(output, "original").value.url;
  const small = slides.thumbnail(at).value;
  if (original) return { url: original, isOriginal: true };
  return { url: output?.kind === "image" ? small : undefined, isOriginal: false };
}
