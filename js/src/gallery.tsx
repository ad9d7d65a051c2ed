/** The gallery: everything that was made, found, looked at and marked, thousands at a time. */

import { shelfOf } from "./board/shelf";
import { Actions, Bar } from "./gallery/bar";
import { Editor } from "./gallery/editor";
import { GalleryModel } from "./gallery/gallery_model";
import { Grid } from "./gallery/grid";
import galleryCss from "./gallery.css?inline";
import type { GalleryEvent, GalleryMessage, GalleryState } from "./lib/gallery_messages";
import { mount } from "./lib/mount";
import { inserter } from "./lib/notebook";
import type { CleanUp, RenderContext } from "./lib/widget";

function render(context: RenderContext): CleanUp {
  const { model } = context;
  return mount<GalleryState, GalleryEvent>(context, {
    styles: { gallery: galleryCss },
    keepsFocus: true,
    draw: (live) => {
      const view = live.field("view").peek();
      const shelf = shelfOf(view);
      const release = shelf.hold((event) => live.send(event as GalleryEvent));
      const gallery = new GalleryModel(live, shelf, inserter(model, view));
      live.onMessage((content, buffers) => gallery.receive(content as GalleryMessage, buffers));
      gallery.begin();
      const content = (
        // The front end's own keys, such as those that stop or restart the kernel, must not hear what is typed here.
        <section class="fal-nb-gallery fal-nb-theme" aria-label="gallery" data-lm-suppress-shortcuts="true">
          <Bar gallery={gallery} />
          <Grid gallery={gallery} />
          <Editor gallery={gallery} />
          <Actions gallery={gallery} />
        </section>
      );
      return {
        content,
        release: () => {
          gallery.close();
          release();
        },
      };
    },
  });
}

export default { render };
