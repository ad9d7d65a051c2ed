/** A film or a sound on a tile: the poster or waveform, played while the pointer is on it or by its button. */

import { useEffect, useRef } from "preact/hooks";
import { AUTO_LOAD_BYTES, type MediaStore } from "../lib/media";
import type { Output } from "../lib/messages";
import type { Step } from "./step";

interface Props {
  media: MediaStore;
  output: Output;
  poster: string | undefined;
  alt: string;
  /** Class of the button. */
  mark: string;
  isOver: boolean;
  /** Whether it was started by its button or by a key. */
  isOn: boolean;
  setOn: (isOn: boolean) => void;
  /** Plays it with all the others of the view. */
  step?: Step;
}

export function Player({ media, output, poster, alt, mark, isOver, isOn, setOn, step }: Props) {
  const ref = useRef<HTMLMediaElement>(null);
  const isFilm = output.kind === "video";
  const isInStep = step?.isWanted.value ?? false;
  const isWanted = isInStep || isOn || (isFilm && isOver);
  const original = media.get(output, "original").value;
  const url = isWanted ? original.url : undefined;
  useEffect(() => {
    if (isWanted && (output.size_bytes ?? 0) <= AUTO_LOAD_BYTES) media.request(output, "original");
  }, [media, isWanted, output]);
  useEffect(() => {
    const player = ref.current;
    if (!url || !player) return undefined;
    if (!step || !isInStep) {
      player.play()?.catch(() => {});
      return () => player.pause();
    }
    const leave = step.players.add(player);
    step.players.play();
    return leave;
  }, [url, isInStep, step]);
  const common = { src: url, "aria-label": alt || undefined, preload: "auto" } as const;
  return (
    <>
      {poster && <img src={poster} alt="" draggable={false} data-kind={output.kind} />}
      {url &&
        (isFilm ? (
          <video ref={ref as never} muted playsInline loop={!isInStep} {...common} />
        ) : (
          <audio ref={ref as never} onEnded={() => setOn(false)} {...common} />
        ))}
      {!isFilm && (
        <button
          type="button"
          class={mark}
          tabIndex={-1}
          aria-label={isOn ? "stop" : "play"}
          onClick={(event) => {
            event.stopPropagation();
            setOn(!isOn);
          }}
        >
          {isOn ? "❚❚" : "▶"}
        </button>
      )}
    </>
  );
}
