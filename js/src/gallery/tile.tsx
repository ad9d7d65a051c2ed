/** One output: its picture, film, sound or text; what it is on hover, and what can be done with it. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { seconds } from "../lib/format";
import type { CodeKind } from "../lib/gallery_messages";
import { AUTO_LOAD_BYTES } from "../lib/media";
import type { GalleryModel, GalleryProps } from "./gallery_model";
import type { Item } from "./items";
import { factsOf } from "./slides";

interface TileProps extends GalleryProps {
  at: number;
  place: number;
  style: string;
  onOpen: (at: number) => void;
}

const ACTIONS: readonly [CodeKind, string][] = [
  ["again", "Copy the call"],
  ["vary", "Copy a sweep over its seed"],
  ["input", "Copy as input of another call"],
  ["path", "Copy the file's path"],
];

export function Tile({ gallery, at, place, style, onOpen }: TileProps) {
  const ref = useRef<HTMLDivElement>(null);
  const isOver = useSignal(false);
  const item = gallery.item(place).value;
  const isActive = gallery.active.value === at;
  const isSelected = gallery.selected.value.has(place);
  useEffect(() => gallery.want(place), [gallery, place]);
  useEffect(() => {
    if (item) gallery.shelf.thumbs.want(item);
  }, [gallery, item]);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!isActive || !el) return;
    const root = el.getRootNode() as Document | ShadowRoot;
    // Only where the focus is in the grid already: a gallery never takes it from elsewhere.
    if (root.activeElement?.closest(".fal-nb-gsheet") === el.closest(".fal-nb-gsheet")) {
      el.focus({ preventScroll: true });
    }
  }, [isActive]);
  const label = item ? `${item.prompt || item.endpoint}` : "loading";
  return (
    // biome-ignore lint/a11y/useSemanticElements: a placed tile cannot be a table's cell
    <div
      ref={ref}
      role="gridcell"
      class="fal-nb-gtile"
      data-at={at}
      aria-selected={isSelected}
      tabIndex={isActive ? 0 : -1}
      style={style}
      onFocus={() => {
        isOver.value = true;
        if (!isActive) gallery.active.value = at;
      }}
      onBlur={() => {
        isOver.value = false;
      }}
      onMouseEnter={() => {
        isOver.value = true;
      }}
      onMouseLeave={() => {
        isOver.value = false;
      }}
      onClick={(event) => {
        if (event.shiftKey) gallery.selectTo(gallery.active.peek(), at);
        else if (event.ctrlKey || event.metaKey) gallery.toggle(place);
        else onOpen(at);
        if (event.shiftKey || event.ctrlKey || event.metaKey) gallery.active.value = at;
      }}
      onKeyDown={() => {}}
    >
      <span class="fal-nb-spoken">
        {item ? [label, item.output?.kind, ...factsOf(item)].filter(Boolean).join(", ") : label}
      </span>
      {item && <Inside gallery={gallery} item={item} isOver={isOver.value} />}
      {item && <Badges item={item} />}
      <input
        type="checkbox"
        class="fal-nb-gcheck"
        tabIndex={-1}
        aria-label="select"
        checked={isSelected}
        onClick={(event) => event.stopPropagation()}
        onChange={() => gallery.toggle(place)}
      />
      {item && (isOver.value || gallery.menu.value === place) && (
        <Over gallery={gallery} item={item} label={label} />
      )}
    </div>
  );
}

function Inside({ gallery, item, isOver }: GalleryProps & { item: Item; isOver: boolean }) {
  const kind = item.output?.kind;
  if (item.reason) return <span class="fal-nb-gtext">{item.reason}</span>;
  if (kind === "video" || kind === "audio") return <Player gallery={gallery} item={item} isOver={isOver} />;
  if (kind === "image" || (kind === "mesh" && gallery.shelf.thumbs.get(item).value)) {
    return <Picture gallery={gallery} item={item} />;
  }
  return <span class="fal-nb-gtext">{item.text || kind}</span>;
}

function Picture({ gallery, item }: GalleryProps & { item: Item }) {
  const url = gallery.shelf.thumbs.get(item).value;
  return url ? <img src={url} alt="" draggable={false} decoding="async" /> : null;
}

/** A poster that plays while the pointer is on it; a sound plays by its button. */
function Player({ gallery, item, isOver }: GalleryProps & { item: Item; isOver: boolean }) {
  const isAlone = useSignal(false);
  const ref = useRef<HTMLMediaElement>(null);
  const output = item.output as NonNullable<Item["output"]>;
  const isFilm = output.kind === "video";
  const isWanted = isFilm ? isOver : isAlone.value;
  const original = gallery.shelf.media.get(output, "original").value;
  const poster = gallery.shelf.thumbs.get(item).value;
  const url = isWanted ? original.url : undefined;
  useEffect(() => {
    if (isWanted && (output.size_bytes ?? 0) <= AUTO_LOAD_BYTES)
      gallery.shelf.media.request(output, "original");
  }, [gallery, isWanted, output]);
  useEffect(() => {
    const player = ref.current;
    if (!url || !player) return undefined;
    player.play()?.catch(() => {});
    return () => player.pause();
  }, [url]);
  return (
    <>
      {poster && <img src={poster} alt="" draggable={false} data-kind={output.kind} />}
      {url &&
        (isFilm ? (
          <video ref={ref as never} src={url} loop muted playsInline preload="auto" />
        ) : (
          // biome-ignore lint/a11y/useMediaCaption: there is no text of a generated sound
          <audio ref={ref as never} src={url} preload="auto" />
        ))}
      {!isFilm && (
        <button
          type="button"
          class="fal-nb-gplay"
          tabIndex={-1}
          aria-label={isAlone.value ? "stop" : "play"}
          onClick={(event) => {
            event.stopPropagation();
            isAlone.value = !isAlone.value;
          }}
        >
          {isAlone.value ? "❚❚" : "▶"}
        </button>
      )}
    </>
  );
}

function Badges({ item }: { item: Item }) {
  const kind = item.output?.kind;
  const mark = kind === "video" ? "▶" : kind === "audio" ? "♪" : "";
  return (
    <span class="fal-nb-gbadges">
      {mark && (
        <span>
          {mark} {seconds(item.output?.duration_s)}
        </span>
      )}
      {item.rating ? <span>{"★".repeat(item.rating)}</span> : null}
      {item.hasNote && <span title="has a note">✎</span>}
    </span>
  );
}

/** What it is, and what can be done with it, over the picture while the pointer or the focus is there. */
function Over({ gallery, item, label }: GalleryProps & { item: Item; label: string }) {
  const isOpen = gallery.menu.value === item.place;
  return (
    <span class="fal-nb-gover">
      <span class="fal-nb-gprompt" title={label}>
        {label}
      </span>
      <span class="fal-nb-gfacts">{factsOf(item).join(" · ")}</span>
      <button
        type="button"
        class="fal-nb-gmore"
        tabIndex={-1}
        aria-label="what to do with it"
        aria-expanded={isOpen}
        onClick={(event) => {
          event.stopPropagation();
          gallery.menu.value = isOpen ? -1 : item.place;
        }}
      >
        ⋯
      </button>
      {isOpen && <Menu gallery={gallery} place={item.place} />}
    </span>
  );
}

function Menu({ gallery, place }: { gallery: GalleryModel; place: number }) {
  const ref = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    ref.current?.querySelector("button")?.focus({ preventScroll: true });
  }, []);
  const close = () => {
    const tile = ref.current?.closest<HTMLElement>(".fal-nb-gtile");
    gallery.menu.value = -1;
    tile?.focus({ preventScroll: true });
  };
  const button = (words: string, act: () => void) => (
    <button
      key={words}
      type="button"
      role="menuitem"
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        act();
        close();
      }}
    >
      {words}
    </button>
  );
  return (
    <span
      ref={ref}
      class="fal-nb-gmenu"
      role="menu"
      tabIndex={-1}
      aria-label="what to do with it"
      onFocusOut={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) gallery.menu.value = -1;
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape" || event.key === "Tab") close();
        const all = [...event.currentTarget.querySelectorAll("button")];
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        const root = event.currentTarget.getRootNode() as Document | ShadowRoot;
        const at = all.indexOf(root.activeElement as HTMLButtonElement);
        all[(at + step + all.length) % all.length]?.focus();
      }}
    >
      {ACTIONS.slice(0, gallery.isExport ? 1 : undefined).map(([what, words]) =>
        button(words, () => gallery.copy(place, what)),
      )}
      {!gallery.isExport &&
        button("Hide", () => gallery.live.send({ kind: "tag", cells: [place], tag: "hidden", on: true }))}
    </span>
  );
}
