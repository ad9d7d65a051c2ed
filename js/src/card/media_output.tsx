/** Pictures, films, sounds and solids: the thumbnail first, in a box of the final size, then the original. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { fileSize, isNumber, seconds } from "../lib/format";
import { AUTO_LOAD_BYTES, type Media, type MediaStore } from "../lib/media";
import type { Output } from "../lib/messages";
import { showSolid } from "../lib/solid";
import { useSeen } from "./ticking";

interface Props {
  output: Output;
  media: MediaStore;
  alt: string;
}

const LARGEST_WIDTH = 512;
const LARGEST_HEIGHT = 640;
const SOLID_WIDTH = 480;
/** So far outside the window the bytes are asked for. */
const NEAR_PX = 300;

interface PictureProps extends Props {
  isAlone: boolean;
  /** What stood in its place while it was made, shown until there is something of its own. */
  before?: Output;
  /** Shows it large, above the page. */
  onOpen: () => void;
}

export function Picture({ output, media, alt, isAlone, before, onOpen }: PictureProps) {
  const { ref, thumbnail, original, load } = useMedia(output, media);
  const url = original.url;
  const earlier = before && media.get(before, "thumbnail").value.url;
  return (
    <figure class="fal-nb-figure" ref={ref} style={isAlone ? { width: `${boxWidth(output)}px` } : undefined}>
      <div class="fal-nb-tile" style={{ aspectRatio: ratio(output, "1 / 1") }}>
        {(thumbnail.url || earlier) && (
          <img class="fal-nb-thumbnail" src={thumbnail.url ?? earlier} alt={url ? "" : alt} decoding="sync" />
        )}
        {url && <img class="fal-nb-original" src={url} alt={alt} decoding="sync" />}
        {(thumbnail.url || url) && (
          <button type="button" class="fal-nb-open" aria-label={`show large: ${alt}`} onClick={onOpen} />
        )}
        <Loading output={output} thumbnail={thumbnail} original={original} load={load} />
      </div>
      <Caption output={output} problem={original.error} />
    </figure>
  );
}

/** The newest picture of a stream, in the box that the finished one will have. */
export function PartialPicture({ output, media, alt }: Props) {
  const thumbnail = media.get(output, "thumbnail").value;
  useEffect(() => {
    media.request(output, "thumbnail");
  }, [media, output]);
  return (
    <figure class="fal-nb-figure" style={{ width: `${boxWidth(output)}px` }}>
      <div class="fal-nb-tile" style={{ aspectRatio: ratio(output, "1 / 1") }}>
        {thumbnail.url && (
          <img class="fal-nb-thumbnail" src={thumbnail.url} alt={`so far: ${alt}`} decoding="sync" />
        )}
      </div>
      <figcaption class="fal-nb-caption">
        <span>{output.file_name}</span>
      </figcaption>
    </figure>
  );
}

export function Video({ output, media, alt }: Props) {
  const { ref, thumbnail, original, load } = useMedia(output, media);
  return (
    <figure class="fal-nb-figure" ref={ref} style={{ width: `${boxWidth(output)}px` }}>
      <div class="fal-nb-tile" style={{ aspectRatio: ratio(output, "16 / 9") }}>
        {original.url ? (
          // biome-ignore lint/a11y/useMediaCaption: an endpoint's film comes without captions
          <video
            controls
            preload="metadata"
            playsInline
            loop={isShort(output)}
            poster={thumbnail.url}
            src={original.url}
            aria-label={alt}
          />
        ) : (
          thumbnail.url && <img class="fal-nb-thumbnail" src={thumbnail.url} alt={alt} decoding="sync" />
        )}
        <Loading output={output} thumbnail={thumbnail} original={original} load={load} />
      </div>
      <Caption output={output} problem={original.error} />
    </figure>
  );
}

export function Sound({ output, media, alt }: Props) {
  const { ref, thumbnail, original, load } = useMedia(output, media);
  return (
    <figure class="fal-nb-figure fal-nb-sound" ref={ref}>
      {output.has_thumbnail && (
        <div class="fal-nb-wave">
          {thumbnail.url && (
            <img class="fal-nb-thumbnail" src={thumbnail.url} alt={`waveform: ${alt}`} decoding="sync" />
          )}
        </div>
      )}
      <div class="fal-nb-player">
        {original.url && (
          // biome-ignore lint/a11y/useMediaCaption: an endpoint's sound comes without captions
          <audio controls preload="metadata" src={original.url} aria-label={alt} />
        )}
        <Loading output={output} thumbnail={thumbnail} original={original} load={load} />
      </div>
      <Caption output={output} problem={original.error} />
    </figure>
  );
}

/** Its poster until somebody wants to turn it: the viewer's code and the file are loaded then. */
export function Solid({ output, media, alt, onOpen }: Props & { onOpen: () => void }) {
  const figure = useRef<HTMLElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const seen = useSeen(figure, NEAR_PX).value;
  const isWanted = useSignal(false);
  const said = useSignal<{ words: string; isProblem: boolean } | undefined>(undefined);
  const thumbnail = media.get(output, "thumbnail").value;
  useEffect(() => {
    media.follow(output, "thumbnail");
    media.follow(output, "original");
    if (seen && output.has_thumbnail && output.stored) media.request(output, "thumbnail");
  }, [seen, output, media]);
  useEffect(() => {
    if (!isWanted.value || !stage.current) return undefined;
    const say = (words: string, isProblem: boolean) => {
      said.value = { words, isProblem };
    };
    return showSolid(stage.current, media, output, alt, { say });
  }, [isWanted.value, output, media, alt, said]);
  const isShown = isWanted.value && said.value?.words === "";
  return (
    <figure class="fal-nb-figure" ref={figure} style={{ width: `${SOLID_WIDTH}px` }}>
      <div class="fal-nb-tile" style={{ aspectRatio: "4 / 3" }}>
        {thumbnail.url && !isShown && (
          <img class="fal-nb-thumbnail" src={thumbnail.url} alt={alt} decoding="sync" />
        )}
        <div class="fal-nb-stage" ref={stage} />
        {output.stored && !isWanted.value && (
          <button
            type="button"
            class="fal-nb-button fal-nb-load"
            onClick={() => {
              isWanted.value = true;
            }}
          >
            turn it in 3D
          </button>
        )}
        {output.stored && (
          <button type="button" class="fal-nb-button fal-nb-large" onClick={onOpen}>
            large
          </button>
        )}
        {!output.stored && <span class="fal-nb-empty">{output.error ? "not available" : "fetching…"}</span>}
        {isWanted.value && said.value?.words && (
          <span class="fal-nb-said" role="status" data-problem={said.value.isProblem}>
            {said.value.words}
          </span>
        )}
      </div>
      <Caption output={output} />
    </figure>
  );
}

function Caption({ output, problem }: { output: Output; problem?: string }) {
  const { width, height } = output;
  const name = output.file_name || output.kind;
  const facts = [
    isNumber(width) && isNumber(height) && `${width}×${height}`,
    seconds(output.duration_s),
    fileSize(output.size_bytes),
    output.error && `not stored: ${output.error}`,
    problem,
  ].filter(Boolean);
  // Where there is little room the name, which most endpoints make up, gives way to what is known of the file.
  return (
    <figcaption
      class="fal-nb-caption"
      title={[name, ...facts].join(" · ")}
      data-problem={Boolean(output.error || problem)}
    >
      <span>{name}</span>
      {facts.map((fact) => (
        <span key={fact}>{` · ${fact}`}</span>
      ))}
    </figcaption>
  );
}

interface LoadingProps {
  output: Output;
  thumbnail: Media;
  original: Media;
  load: () => void;
}

/** A thin line while bytes come; a button where they are many; a word where there is nothing to see. */
function Loading({ output, thumbnail, original, load }: LoadingProps) {
  if (original.url) return null;
  if (output.error || original.status === "failed") {
    return thumbnail.url ? null : <span class="fal-nb-empty">not available</span>;
  }
  if (!output.stored) return <span class="fal-nb-empty">fetching…</span>;
  if (original.status === "loading") {
    return <span class="fal-nb-loading" style={{ "--fal-nb-share": original.received ?? 0 }} />;
  }
  if (isSmall(output)) return null;
  return (
    <button type="button" class="fal-nb-button fal-nb-load" onClick={load}>
      load {fileSize(output.size_bytes)}
    </button>
  );
}

function useMedia(output: Output, media: MediaStore) {
  const ref = useRef<HTMLElement>(null);
  const seen = useSeen(ref, NEAR_PX).value;
  const thumbnail = media.get(output, "thumbnail").value;
  const original = media.get(output, "original").value;
  const hasThumbnail = Boolean(output.has_thumbnail);
  const isReady = !hasThumbnail || thumbnail.status === "ready" || thumbnail.status === "failed";
  useEffect(() => {
    media.follow(output, "thumbnail");
    media.follow(output, "original");
    if (!seen || !output.stored) return;
    if (hasThumbnail) media.request(output, "thumbnail");
    if (isReady && isSmall(output) && !output.error) media.request(output, "original");
  }, [seen, hasThumbnail, isReady, output, media]);
  return { ref, thumbnail, original, load: () => media.request(output, "original") };
}

function isSmall({ size_bytes }: Output): boolean {
  return isNumber(size_bytes) && size_bytes <= AUTO_LOAD_BYTES;
}

function isShort({ duration_s }: Output): boolean {
  return isNumber(duration_s) && duration_s <= 3;
}

function ratio({ width, height }: Output, otherwise: string): string {
  return isNumber(width) && isNumber(height) && width > 0 && height > 0 ? `${width} / ${height}` : otherwise;
}

/** At most 512 pixels wide and 640 high, and never larger than the picture is. */
function boxWidth({ width, height }: Output): number {
  if (!isNumber(width) || !isNumber(height) || width <= 0 || height <= 0) return LARGEST_WIDTH;
  return Math.round(Math.min(LARGEST_WIDTH, Math.max(width, 160), (LARGEST_HEIGHT * width) / height));
}
