/** One output: its picture, film, sound or text; what it is on hover, and what can be done with it. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Player } from "../board/player";
import { seconds } from "../lib/format";
import type { CodeKind } from "../lib/gallery_messages";
import type { GalleryProps } from "./gallery_model";
import type { Item } from "./items";
import { factsOf } from "./slides";

interface TileProps extends GalleryProps {
  at: number;
  place: number;
  style: string;
  onOpen: (at: number) => void;
}

const ACTIONS: readonly (readonly [CodeKind, string, string])[] = [
  ["input", "Use as input of another call", "u"],
  ["elsewhere", "Same seed on another endpoint", "e"],
  ["vary", "Vary the seed", "v"],
  ["again", "Copy the call", "y"],
  ["path", "Copy the file's path", "r"],
];

export function Tile({ gallery, at, place, style, onOpen }: TileProps) {
  const ref = useRef<HTMLDivElement>(null);
  const isOver = useSignal(false);
  const item = gallery.item(place).value;
  const isActive = gallery.active.value === at;
  const isSelected = gallery.selected.value.has(place);
  const isMenuOpen = gallery.menu.value === place;
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
      data-hidden={item?.isHidden ?? false}
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
      {item && (isOver.value || isMenuOpen) && <Over gallery={gallery} item={item} label={label} />}
    </div>
  );
}

function Inside({ gallery, item, isOver }: GalleryProps & { item: Item; isOver: boolean }) {
  const kind = item.output?.kind;
  if (item.reason) return <span class="fal-nb-gtext">{item.reason}</span>;
  if (kind === "video" || kind === "audio") return <Playing gallery={gallery} item={item} isOver={isOver} />;
  if (kind === "image" || (kind === "mesh" && gallery.shelf.thumbs.get(item).value)) {
    return <Picture gallery={gallery} item={item} />;
  }
  return <span class="fal-nb-gtext">{item.text || kind}</span>;
}

function Picture({ gallery, item }: GalleryProps & { item: Item }) {
  const url = gallery.shelf.thumbs.get(item).value;
  return url ? <img src={url} alt="" draggable={false} decoding="async" /> : null;
}

function Playing({ gallery, item, isOver }: GalleryProps & { item: Item; isOver: boolean }) {
  return (
    <Player
      media={gallery.shelf.media}
      output={item.output as NonNullable<Item["output"]>}
      poster={gallery.shelf.thumbs.get(item).value}
      alt=""
      mark="fal-nb-gplay"
      isOver={isOver}
      isOn={gallery.playing.value === item.place}
      setOn={(value) => {
        gallery.playing.value = value ? item.place : undefined;
      }}
    />
  );
}

const MARKS: Record<string, string> = { video: "▶", audio: "♪", mesh: "⬢" };

function Badges({ item }: { item: Item }) {
  const kind = item.output?.kind;
  const mark = MARKS[kind ?? ""] ?? "";
  return (
    <span class="fal-nb-gbadges">
      {mark && (
        <span>
          {mark} {seconds(item.output?.duration_s)}
        </span>
      )}
      {item.rating ? <span>{"★".repeat(item.rating)}</span> : null}
      {item.tags.length > 0 && <span title={item.tags.join(", ")}>#{item.tags[0]}</span>}
      {item.hasNote && <span title="has a note">✎</span>}
      {item.isHidden && <span>hidden</span>}
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
        title="what to do with it (m)"
        aria-expanded={isOpen}
        onClick={(event) => {
          event.stopPropagation();
          gallery.menu.value = isOpen ? undefined : item.place;
        }}
      >
        ⋯
      </button>
      {isOpen && <Menu gallery={gallery} item={item} />}
    </span>
  );
}

function Menu({ gallery, item }: GalleryProps & { item: Item }) {
  const menu = useRef<HTMLSpanElement>(null);
  const { place } = item;
  useLayoutEffect(() => {
    if (menu.current) putAbove(menu.current);
    menu.current?.querySelector("button")?.focus({ preventScroll: true });
  }, []);
  const close = () => {
    gallery.menu.value = undefined;
    menu.current?.closest<HTMLElement>(".fal-nb-gtile")?.focus({ preventScroll: true });
  };
  const button = (words: string, key: string, act: () => void) => (
    <button
      key={words}
      type="button"
      role="menuitem"
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        close();
        act();
      }}
    >
      <span>{words}</span>
      <kbd>{key}</kbd>
    </button>
  );
  return (
    <span
      ref={menu}
      class="fal-nb-gmenu"
      role="menu"
      aria-label="what to do with it"
      tabIndex={-1}
      onFocusOut={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) gallery.menu.value = undefined;
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape" || event.key === "Tab") close();
        else if (!moveIn(menu.current, event.key)) return;
        event.preventDefault();
      }}
    >
      {ACTIONS.filter(([what]) => what === "again" || !gallery.isExport).map(([what, words, key]) =>
        button(words, key, () => gallery.code(place, what)),
      )}
      {!gallery.isExport && (
        <>
          {button("Note", "n", () => gallery.edit({ what: "note", place }))}
          {button("Tags", "t", () => gallery.edit({ what: "tags", place }))}
          {button(item.isHidden ? "Show again" : "Hide", "h", () => gallery.hide([place], !item.isHidden))}
        </>
      )}
    </span>
  );
}

/** Shows a menu above everything, at its tile: the gallery would cut it off at its edges. */
function putAbove(menu: HTMLElement): void {
  const tile = menu.closest(".fal-nb-gtile")?.getBoundingClientRect();
  if (!tile || typeof menu.showPopover !== "function") return;
  menu.setAttribute("popover", "manual");
  menu.showPopover();
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.min(Math.max(4, tile.right - width - 4), innerWidth - width - 4);
  const top = Math.min(Math.max(4, tile.bottom - height - 26), innerHeight - height - 4);
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

/** Moves the focus along the entries of a menu. */
function moveIn(menu: HTMLElement | null, key: string): boolean {
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  const all = [...(menu?.querySelectorAll("button") ?? [])];
  if (step === undefined || all.length === 0) return false;
  const root = menu?.getRootNode() as Document | ShadowRoot;
  const at = all.indexOf(root.activeElement as HTMLButtonElement);
  all[(at + step + all.length) % all.length]?.focus();
  return true;
}
