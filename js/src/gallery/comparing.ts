/** Opens the comparison of what is selected, where two to four outputs are. */

import { openCompare } from "../compare/compare";
import { type GalleryModel, MOST_COMPARED } from "./gallery_model";
import { gallerySlides } from "./slides";

export function compareSelected(gallery: GalleryModel): void {
  const places = [...gallery.selected.peek()];
  if (places.length < 2 || places.length > MOST_COMPARED) {
    gallery.say(`select 2 to ${MOST_COMPARED} to compare`);
    return;
  }
  for (const place of places) gallery.want(place);
  openCompare(gallerySlides(gallery, places), gallery.shelf);
}
