/** The gallery's window: rows of pictures that fill the width, of which only those in sight are in the page. */

import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { followScroller } from "../lib/scroller";
import { openLightbox } from "../lightbox/lightbox";
import { type GalleryModel, type GalleryProps, SIZES } from "./gallery_model";
import { pressed } from "./keys";
import { across, inSight, justify, type Layout, type Row } from "./layout";
import { gallerySlides } from "./slides";
import { Tile } from "./tile";

export const MOST_TILES = 80;
/** In a file of its own the gallery fills the window, which may be large. */
const MOST_TILES_EXPORTED = 400;
const GAP = 6;
const HEIGHT = 600;

export function Grid({ gallery }: GalleryProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const inside = useSignal(HEIGHT);
  const layout = useComputed((): Layout => {
    const { ratios } = gallery.order.value ?? { ratios: [] };
    return justify(ratios, Math.max(width.value, 120), SIZES[gallery.size.value], GAP);
  });
  useLayoutEffect(
    () => followScroller(scroller.current, gallery.scroll, { width, height: inside, usual: 960 }),
    [gallery, width, inside],
  );
  const order = gallery.order.value;
  const { rows, height } = layout.value;
  const { isExport } = gallery;
  const most = isExport ? MOST_TILES_EXPORTED : MOST_TILES;
  const shown = inSight(rows, gallery.scroll.value, isExport ? inside.value : HEIGHT, most);
  const drawn = width.value > 0 && order ? rows.slice(shown.first, shown.end) : [];
  const open = (at: number) => {
    if (!order) return;
    gallery.active.value = at;
    openLightbox(gallerySlides(gallery, order.places, order.ratios), at, gallery.shelf);
  };
  const isEmpty = order !== undefined && order.places.length === 0;
  return (
    <div
      class="fal-nb-gscroll"
      ref={scroller}
      style={
        isExport ? {} : { height: `${isEmpty ? 72 : Math.min(HEIGHT, Math.max(height, SIZES.small))}px` }
      }
      onScroll={({ currentTarget }) => {
        gallery.scroll.value = Math.max(0, currentTarget.scrollTop);
      }}
    >
      {isEmpty && <Empty gallery={gallery} />}
      {/* biome-ignore lint/a11y/useSemanticElements: a windowed grid of placed tiles cannot be a table */}
      <div
        class="fal-nb-gsheet"
        role="grid"
        tabIndex={-1}
        aria-label="outputs: arrows move, Enter opens, Space selects, question mark tells the other keys"
        aria-rowcount={rows.length}
        aria-multiselectable="true"
        style={{ height: `${height}px` }}
        onKeyDown={(event) => onKey(event, gallery, layout.value, scroller.current, open)}
      >
        {drawn.map((row, index) => (
          // biome-ignore lint/a11y/useSemanticElements: as above
          // biome-ignore lint/a11y/useFocusableInteractive: its tiles are
          <div key={row.first} role="row" aria-rowindex={shown.first + index + 1} class="fal-nb-grow">
            {order &&
              across(order.ratios, row, width.value, GAP).map(({ left, width: wide }, column) => {
                const at = row.first + column;
                return (
                  <Tile
                    key={order.places[at]}
                    gallery={gallery}
                    at={at}
                    place={order.places[at] as number}
                    onOpen={open}
                    style={`transform:translate(${left}px,${row.top}px);width:${wide}px;height:${row.height}px`}
                  />
                );
              })}
          </div>
        ))}
      </div>
    </div>
  );
}

/** What is empty, and what to do about it. */
function Empty({ gallery }: GalleryProps) {
  const words = gallery.live.field("empty").value;
  return (
    <div class="fal-nb-gempty">
      {words || "Nothing passes these filters."}
      {!words && (
        <button
          type="button"
          class="fal-nb-button"
          onClick={() => gallery.ask({ words: "", filters: {}, with_hidden: true })}
        >
          Show everything
        </button>
      )}
    </div>
  );
}

function onKey(
  event: KeyboardEvent,
  gallery: GalleryModel,
  layout: Layout,
  scroller: HTMLElement | null,
  open: (at: number) => void,
): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = gallery.active.peek();
  const place = gallery.place(at);
  const next = stepped(event.key, at, layout, gallery);
  if (next !== undefined) reveal(gallery, layout, next, scroller);
  else if (event.key === "Enter") open(at);
  else if (!pressed(event.key, gallery, place)) return;
  event.preventDefault();
  event.stopPropagation();
}

/** Where an arrow leads: up and down to the picture whose middle is nearest. */
function stepped(key: string, at: number, { rows }: Layout, gallery: GalleryModel): number | undefined {
  const last = gallery.count - 1;
  if (key === "ArrowLeft") return Math.max(0, at - 1);
  if (key === "ArrowRight") return Math.min(last, at + 1);
  if (key === "Home") return 0;
  if (key === "End") return last;
  const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -3, PageDown: 3 }[key];
  if (step === undefined) return undefined;
  const from = rows.findIndex((row) => at < row.end);
  const target = rows[Math.min(rows.length - 1, Math.max(0, from + step))];
  const own = rows[from];
  if (!own || !target) return undefined;
  const share = (at - own.first + 0.5) / (own.end - own.first);
  return Math.min(target.end - 1, target.first + Math.floor(share * (target.end - target.first)));
}

/** Makes a tile the active one, brings it into sight and gives it the focus. */
function reveal(gallery: GalleryModel, { rows }: Layout, at: number, scroller: HTMLElement | null): void {
  gallery.active.value = at;
  const row: Row | undefined = rows.find((each) => at < each.end);
  if (!row || !scroller?.clientHeight) return;
  const top = gallery.scroll.peek();
  const height = scroller.clientHeight;
  const next =
    row.top < top ? row.top : row.top + row.height > top + height ? row.top + row.height - height : top;
  scroller.scrollTop = next;
  gallery.scroll.value = Math.max(0, next);
}
