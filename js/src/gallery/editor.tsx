/** What is written about an output: its note, its tags, or the endpoint that a new call of it goes to. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { OfferKind } from "../lib/gallery_messages";
import type { Editing, GalleryProps } from "./gallery_model";
import type { Item } from "./items";

const LISTED = 100;
let lists = 0;

export function Editor({ gallery }: GalleryProps) {
  const editing = gallery.editing.value;
  const item = editing && gallery.item(editing.place).value;
  if (!editing || !item || gallery.isExport) return null;
  return <Open key={`${editing.what} ${editing.place}`} gallery={gallery} editing={editing} item={item} />;
}

interface OpenProps extends GalleryProps {
  editing: Editing;
  item: Item;
}

function Open({ gallery, editing: { what, place }, item }: OpenProps) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("textarea, input")?.focus();
  }, []);
  const close = () => {
    const section = form.current?.closest("section");
    gallery.edit(undefined);
    section?.querySelector<HTMLElement>('.fal-nb-gtile[tabindex="0"]')?.focus({ preventScroll: true });
  };
  return (
    <form
      ref={form}
      class="fal-nb-geditor"
      onSubmit={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") close();
      }}
    >
      {what === "note" && <Note gallery={gallery} item={item} close={close} />}
      {what === "tags" && <Tags gallery={gallery} item={item} close={close} />}
      {(what === "input" || what === "elsewhere") && (
        <Elsewhere gallery={gallery} item={item} what={what} place={place} close={close} />
      )}
    </form>
  );
}

interface PartProps extends GalleryProps {
  item: Item;
  close: () => void;
}

function Note({ gallery, item, close }: PartProps) {
  const { note } = gallery.shelf.details(item).value ?? {};
  const own = useSignal<string | undefined>(undefined);
  const text = own.value ?? note ?? "";
  const save = () => {
    gallery.live.send({ kind: "note", cells: [item.place], text });
    gallery.shelf.forget(item.place);
    close();
  };
  return (
    <>
      <label>
        note on #{item.record}
        <textarea
          rows={3}
          maxLength={2000}
          value={text}
          disabled={note === undefined && own.value === undefined && item.hasNote}
          onInput={({ currentTarget }) => {
            own.value = currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey) return;
            event.preventDefault();
            save();
          }}
        />
      </label>
      <Buttons words="Save" act={save} close={close} hint="Enter saves, Shift and Enter begins a line" />
    </>
  );
}

function Tags({ gallery, item, close }: PartProps) {
  const tag = useSignal("");
  const places = gallery.meant(item.place);
  const known = (gallery.live.field("facets").value ?? []).find(([name]) => name === "tags")?.[1] ?? [];
  const put = (words: string, on: boolean) => {
    if (words) gallery.live.send({ kind: "tag", cells: places, tag: words, on });
  };
  const add = () => {
    const words = tag.value.trim();
    put(words, true);
    tag.value = "";
    if (!words) close();
  };
  return (
    <>
      <span class="fal-nb-gtags">
        {item.tags.map((each) => (
          <button
            key={each}
            type="button"
            class="fal-nb-button"
            aria-label={`take off ${each}`}
            title="take it off"
            onClick={() => put(each, false)}
          >
            {each} ×
          </button>
        ))}
      </span>
      <Choosing
        label={places.length > 1 ? `tag of ${places.length} selected` : `tag of #${item.record}`}
        value={tag.value}
        offered={known.map(([name]) => String(name))}
        onInput={(words) => {
          tag.value = words;
        }}
        onEnter={add}
      />
      <Buttons words="Tag" act={add} close={close} hint="Enter adds it; an empty one closes" />
    </>
  );
}

function Elsewhere({ gallery, item, what, place, close }: PartProps & { what: OfferKind; place: number }) {
  const endpoint = useSignal("");
  const write = () => {
    const name = endpoint.value.trim();
    if (!name) return;
    gallery.code(place, what, name);
    close();
  };
  const label =
    what === "input"
      ? `endpoint that takes this ${item.output?.kind ?? "output"}`
      : `endpoint for the arguments of #${item.record}`;
  return (
    <>
      <Choosing
        label={label}
        value={endpoint.value}
        offered={gallery.offers.value}
        isWide
        onInput={(words) => {
          endpoint.value = words;
        }}
        onEnter={write}
      />
      <Buttons words="Write the cell" act={write} close={close} hint="nothing is sent until you run it" />
    </>
  );
}

interface ChoosingProps {
  label: string;
  value: string;
  offered: readonly string[];
  isWide?: boolean;
  onInput: (words: string) => void;
  onEnter: () => void;
}

function Choosing({ label, value, offered, isWide = false, onInput, onEnter }: ChoosingProps) {
  const list = useRef("");
  if (!list.current) {
    lists += 1;
    list.current = `fal-nb-glist-${lists}`;
  }
  return (
    <label>
      {label}
      <input
        class={isWide ? "fal-nb-gtag fal-nb-gwide" : "fal-nb-gtag"}
        list={list.current}
        value={value}
        spellcheck={false}
        autocomplete="off"
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") onEnter();
        }}
      />
      <datalist id={list.current}>
        {offered.slice(0, LISTED).map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </label>
  );
}

interface ButtonsProps {
  words: string;
  act: () => void;
  close: () => void;
  hint: string;
}

function Buttons({ words, act, close, hint }: ButtonsProps) {
  return (
    <span class="fal-nb-gbuttons">
      <button type="button" class="fal-nb-button fal-nb-primary" onClick={act}>
        {words}
      </button>
      <button type="button" class="fal-nb-button" onClick={close}>
        Close (Esc)
      </button>
      <span class="fal-nb-quiet">{hint}</span>
    </span>
  );
}
