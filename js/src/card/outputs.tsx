/** What the job made: pictures in a grid, films and sounds with players, text to read and copy, other files by name. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { fileSize } from "../lib/format";
import { GLB, type MediaStore } from "../lib/media";
import type { Output } from "../lib/messages";
import { cardSlides } from "../lightbox/card_slides";
import { openLightbox } from "../lightbox/lightbox";
import { type CardProps, isOpen } from "./card_model";
import { PartialPicture, Picture, Solid, Sound, Video } from "./media_output";

interface Props extends CardProps {
  media: MediaStore;
}

export function Outputs({ card, media }: Props) {
  const outputs = card.field("outputs").value ?? [];
  const text = card.field("text").value;
  const pictures = outputs.filter(({ kind }) => kind === "image");
  const large = [...pictures, ...outputs.filter(({ content_type }) => content_type === GLB)];
  const openLarge = (output: Output) =>
    openLightbox(cardSlides(card, media, large), Math.max(0, large.indexOf(output)));
  const others = outputs.filter((output) => output.kind !== "image" && !(text && output.text === text));
  const prompt = card.field("prompt").value?.trim();
  const partial = card.field("partial").value?.picture;
  const newest = useRef<Output | undefined>(undefined);
  if (partial) newest.current = partial;
  const before = newest.current;
  if (outputs.length === 0 && !text && !partial) return null;
  const name = (output: Output, place: number, all: number) => {
    const words = prompt?.slice(0, 300) || output.file_name || output.kind;
    return all > 1 ? `${words} (${place + 1} of ${all})` : words;
  };
  return (
    <div class="fal-nb-outputs">
      {pictures.length > 0 && (
        <div
          class="fal-nb-grid"
          data-many={pictures.length > 1}
          style={{ "--fal-nb-columns": columns(pictures.length) }}
        >
          {pictures.map((output, place) => (
            <Picture
              key={output.index}
              output={output}
              media={media}
              alt={name(output, place, pictures.length)}
              isAlone={pictures.length === 1}
              before={pictures.length === 1 ? before : undefined}
              onOpen={() => openLarge(output)}
            />
          ))}
        </div>
      )}
      {partial && pictures.length === 0 && (
        <div class="fal-nb-grid" data-many={false} style={{ "--fal-nb-columns": 1 }}>
          <PartialPicture output={partial} media={media} alt={name(partial, 0, 1)} />
        </div>
      )}
      {others.map((output) => (
        <Other
          key={output.index}
          output={output}
          media={media}
          alt={name(output, 0, 1)}
          onOpen={() => openLarge(output)}
        />
      ))}
      {text && <Text text={text} isGrowing={isOpen(card)} />}
    </div>
  );
}

interface OtherProps {
  output: Output;
  media: MediaStore;
  alt: string;
  onOpen: () => void;
}

function Other({ output, media, alt, onOpen }: OtherProps) {
  if (output.kind === "video") return <Video output={output} media={media} alt={alt} />;
  if (output.kind === "audio") return <Sound output={output} media={media} alt={alt} />;
  if (output.kind === "mesh" && output.content_type === GLB) {
    return <Solid output={output} media={media} alt={alt} onOpen={onOpen} />;
  }
  const name = output.file_name || output.kind;
  return (
    <div class="fal-nb-file">
      <div class="fal-nb-filename">
        <span title={name}>{name}</span>
        <span>{[output.kind, fileSize(output.size_bytes)].filter(Boolean).join(" · ")}</span>
      </div>
      {output.error && <div class="fal-nb-quiet">not stored: {output.error}</div>}
      {output.text && <Text text={output.text} />}
    </div>
  );
}

function Text({ text, isGrowing = false }: { text: string; isGrowing?: boolean }) {
  const words = useSignal("copy");
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    // Whoever has scrolled up to read is left there.
    if (isGrowing && isAtEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [isGrowing, text]);
  const note = () => {
    const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = box.current ?? {};
    isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 4;
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      words.value = "copied";
    } catch {
      words.value = "select it to copy";
    }
    setTimeout(() => {
      words.value = "copy";
    }, 2_000);
  };
  return (
    <div class="fal-nb-text">
      <div
        class="fal-nb-reading"
        ref={box}
        onScroll={note}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
      >
        {text}
      </div>
      <button type="button" class="fal-nb-button fal-nb-copy" onClick={copy}>
        {words}
      </button>
    </div>
  );
}

function columns(count: number): number {
  if (count <= 2) return count;
  return count === 3 || count === 5 || count === 6 ? 3 : 4;
}
