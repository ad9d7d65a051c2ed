/** A gallery in a file of its own, with the table of its calls below. */

import { signal } from "@preact/signals";
import { render } from "preact";
import gallery from "../gallery";
import type { GalleryEvent, GalleryState } from "../lib/gallery_messages";
import { addStyle } from "../lib/style";
import { DataBar } from "./data_bar";
import { GalleryData, type Question } from "./gallery_data";
import pageCss from "./page.css?inline";
import { PageModel } from "./page_model";
import type { Stored } from "./stored";

export class GalleryPage extends PageModel<GalleryState, GalleryEvent> {
  readonly data: GalleryData;
  /** Places that pass, in order. */
  readonly order = signal<readonly number[]>([]);
  #selected = new Set<number>();

  constructor(stored: Stored) {
    super(stored);
    this.data = new GalleryData(stored);
    this.order.value = this.data.find(this.state);
  }

  /** What a file of its data is called: letters and digits alone. */
  get fileName(): string {
    return this.state.name.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "calls";
  }

  protected answer(event: GalleryEvent): void {
    switch (event.kind) {
      case "order":
        this.#tellOrder();
        break;
      case "query":
        this.#ask(event);
        break;
      case "items":
        this.tell({ kind: "items", items: event.cells.map((cell) => this.data.rows[cell] ?? [cell]) });
        break;
      case "thumbnails":
        this.tellThumbnails(event.cells, (cell) => this.data.digest(cell));
        break;
      case "media":
        this.#tellOriginal(event.index);
        break;
      case "details":
        for (const cell of event.cells) this.#tellDetails(cell);
        break;
      case "select":
        this.#select(event);
        break;
      case "code":
        this.tell({
          kind: "code",
          cell: event.cell,
          what: event.what,
          text: this.data.call(event.cell)?.again ?? "",
        });
        break;
      default: // what only a kernel can do
    }
  }

  #ask(question: Question): void {
    const { words, filters, sort, is_descending } = question;
    this.order.value = this.data.find(question);
    this.#tellOrder();
    const matching = this.order.value.length;
    this.state = { ...this.state, words, filters, sort, is_descending, matching };
  }

  #tellOrder(): void {
    const places = this.order.value;
    const buffer = new ArrayBuffer(places.length * 6);
    new Uint32Array(buffer, 0, places.length).set(places);
    const ratios = places.map((place) => Math.round((this.data.ratios[place] ?? 1) * 1000));
    new Uint16Array(buffer, places.length * 4, places.length).set(ratios);
    this.tell({ kind: "order", revision: 0, count: places.length, part: 0, parts: 1 }, [buffer]);
  }

  #tellOriginal(place: number): void {
    this.tellOriginal(place, this.data.digest(place), this.data.rows[place]?.[2] ?? "");
  }

  #tellDetails(cell: number): void {
    const call = this.data.call(cell);
    if (!call) return;
    this.tell({
      kind: "details",
      cell,
      arguments: call.arguments,
      reason: this.data.rows[cell]?.[20] ?? "",
      request_id: call.request_id,
      text: this.data.text(cell),
      note: call.note,
      path: "",
    });
  }

  #select(event: { cells?: number[]; on?: boolean; all?: boolean; none?: boolean }): void {
    if (event.all) this.#selected = new Set(this.order.value);
    else if (event.none) this.#selected.clear();
    else {
      for (const cell of event.cells ?? []) {
        if (event.on) this.#selected.add(cell);
        else this.#selected.delete(cell);
      }
    }
    const places = Uint32Array.from(this.#selected);
    this.tell({ kind: "selection", count: places.length }, [places.buffer]);
  }
}

export function mountGallery(el: HTMLElement, stored: Stored): void {
  const model = new GalleryPage(stored);
  addStyle(el, "page", pageCss);
  const [top, bottom] = [document.createElement("div"), document.createElement("div")];
  top.className = "fal-nb-ptop";
  el.append(top, bottom);
  gallery.render({ model, el: top });
  render(<DataBar data={model.data} order={model.order} name={model.fileName} />, bottom);
}
