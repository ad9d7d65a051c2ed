/** The gallery: everything that was made, found, looked at and marked, thousands at a time. */

import { render as renderInto } from "preact";
import { shelfOf } from "./board/shelf";
import { Actions, Bar } from "./gallery/bar";
import { GalleryModel } from "./gallery/gallery_model";
import { Grid } from "./gallery/grid";
import galleryCss from "./gallery.css?inline";
import type { GalleryEvent, GalleryMessage, GalleryState } from "./lib/gallery_messages";
import { Live } from "./lib/model";
import { addStyle } from "./lib/style";
import themeCss from "./lib/theme.css?inline";
import { watchVisible } from "./lib/visible";
import type { CleanUp, RenderContext } from "./lib/widget";

/** A gallery this far out of sight, in pixels, is not kept up to date. */
const NEAR_PX = 400;

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "theme", themeCss);
  addStyle(el, "gallery", galleryCss);
  const live = new Live<GalleryState, GalleryEvent>(model);
  const shelf = shelfOf(live.field("view").peek());
  const release = shelf.hold((event) => live.send(event as GalleryEvent));
  const gallery = new GalleryModel(live, shelf);
  live.onMessage((content, buffers) => gallery.receive(content as GalleryMessage, buffers));
  gallery.begin();
  renderInto(
    // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
    <section class="fal-nb-gallery fal-nb-theme" aria-label="gallery" data-lm-suppress-shortcuts="true">
      <Bar gallery={gallery} />
      <Grid gallery={gallery} />
      <Actions gallery={gallery} />
    </section>,
    el,
  );
  const unwatch = watchVisible(el.firstElementChild as Element, NEAR_PX, (isNear) => live.hold(!isNear));
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    unwatch();
    renderInto(null, el);
    gallery.close();
    live.close();
    release();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

export default { render };
