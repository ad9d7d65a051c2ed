/** A board or a gallery in a file of its own: the live view over data that stands in the page, without a network. */

import { mountBoard } from "./page/board_page";
import { mountGallery } from "./page/gallery_page";
import { Stored } from "./page/stored";

function mount(): void {
  const el = document.querySelector<HTMLElement>("main[data-fal-nb]");
  if (!el) return;
  const stored = new Stored(document);
  el.replaceChildren();
  (el.dataset.falNb === "gallery" ? mountGallery : mountBoard)(el, stored);
}

mount();
