/** What the keys do on the tile that has the focus; the same list as a person reads it. */

import { compareSelected } from "./comparing";
import type { GalleryModel, GalleryProps } from "./gallery_model";

const WORDS: readonly (readonly [string, string])[] = [
  ["arrows", "move; Home, End, Page up and down as well"],
  ["Enter", "open"],
  ["Space", "select"],
  ["c", "compare what is selected"],
  ["p", "play or stop"],
  ["y", "copy the call"],
  ["m", "menu"],
  ["?", "these keys"],
];

/** In a file of its own nothing can be marked or called. */
const MARKING_WORDS: readonly (readonly [string, string])[] = [
  ["1 – 5", "rate; 0 takes the rating back"],
  ["t", "tags"],
  ["n", "note"],
  ["h", "hide, or show again"],
  ["u", "use as input of another call"],
  ["e", "same seed on another endpoint"],
  ["v", "vary the seed"],
  ["r", "copy the file's path"],
];

/** Does what a key says to the tile at a place; false where it says nothing. */
export function pressed(key: string, gallery: GalleryModel, place: number): boolean {
  if (key === "?") gallery.areKeysShown.value = !gallery.areKeysShown.peek();
  else if (key === " ") gallery.toggle(place);
  else if (key === "c") compareSelected(gallery);
  else if (key === "p") gallery.playing.value = gallery.playing.peek() === place ? undefined : place;
  else if (key === "y") gallery.code(place, "again");
  else if (key === "m" || key === "ContextMenu") gallery.menu.value = place;
  else return !gallery.isExport && acted(key, gallery, place);
  return true;
}

function acted(key: string, gallery: GalleryModel, place: number): boolean {
  if (/^[0-5]$/.test(key)) gallery.rate(gallery.meant(place), Number(key) || null);
  else if (key === "h") gallery.hide(gallery.meant(place), !gallery.item(place).peek()?.isHidden);
  else if (key === "t") gallery.edit({ what: "tags", place });
  else if (key === "n") gallery.edit({ what: "note", place });
  else if (key === "u") gallery.code(place, "input");
  else if (key === "e") gallery.code(place, "elsewhere");
  else if (key === "v") gallery.code(place, "vary");
  else if (key === "r") gallery.code(place, "path");
  else return false;
  return true;
}

export function Keys({ gallery }: GalleryProps) {
  if (!gallery.areKeysShown.value) return null;
  return (
    <dl class="fal-nb-gkeys" aria-label="keys">
      {[...WORDS, ...(gallery.isExport ? [] : MARKING_WORDS)].map(([key, words]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{words}</dd>
        </div>
      ))}
    </dl>
  );
}
