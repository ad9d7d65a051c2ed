/** The drawing area: pen, touch and mouse by pointer events, all of it by keys as well. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { CanvasModel, Tool } from "./canvas_model";
import type { Painting, Point } from "./painting";

const WHITE = "#ffffff";
const SIZES = { least: 2, most: 120 };
const STEP = 12;
const FINE = 2;

interface PadProps {
  model: CanvasModel;
  painting: Painting;
}

const TOOLS: { tool: Tool; label: string; key: string }[] = [
  { tool: "brush", label: "Brush", key: "b" },
  { tool: "eraser", label: "Eraser", key: "e" },
  { tool: "fill", label: "Fill", key: "f" },
];

export function Pad({ model, painting }: PadProps) {
  return (
    <div class="fal-nb-cside">
      <Tools model={model} painting={painting} />
      <Area model={model} painting={painting} />
      <Pictures model={model} painting={painting} />
    </div>
  );
}

function Tools({ model, painting }: PadProps) {
  const { tool, colour, size } = model.pen.value;
  const { undo, redo } = painting.steps.value;
  return (
    <div class="fal-nb-ctools" role="toolbar" aria-label="drawing tools">
      {TOOLS.map((each) => (
        <button
          key={each.tool}
          type="button"
          class="fal-nb-button"
          aria-pressed={tool === each.tool}
          title={`key ${each.key} on the drawing`}
          onClick={() => model.choose({ tool: each.tool })}
        >
          {each.label}
        </button>
      ))}
      <input
        type="color"
        class="fal-nb-ccolour"
        aria-label="colour"
        title="colour"
        value={colour}
        onInput={(event) =>
          model.choose({ colour: event.currentTarget.value, ...(tool === "eraser" && { tool: "brush" }) })
        }
      />
      <label class="fal-nb-csize" title={`${size} pixels; keys [ and ] on the drawing`}>
        <span class="fal-nb-spoken">size</span>
        <input
          type="range"
          min={SIZES.least}
          max={SIZES.most}
          value={size}
          onInput={(event) => model.choose({ size: Number(event.currentTarget.value) })}
        />
      </label>
      <button
        type="button"
        class="fal-nb-button"
        disabled={undo === 0}
        title="Ctrl+Z on the drawing"
        onClick={() => painting.undo()}
      >
        Undo
      </button>
      <button
        type="button"
        class="fal-nb-button"
        disabled={redo === 0}
        title="Ctrl+Shift+Z on the drawing"
        onClick={() => painting.redo()}
      >
        Redo
      </button>
      <button type="button" class="fal-nb-button" onClick={() => painting.clear()}>
        Clear
      </button>
    </div>
  );
}

function Area({ model, painting }: PadProps) {
  const area = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useSignal<Point | undefined>(undefined);
  const isDown = useRef(false);
  useSignalEffect(() => {
    painting.version.value;
    const shown = canvas.current;
    if (!shown) return;
    if (shown.width !== painting.width) shown.width = painting.width;
    if (shown.height !== painting.height) shown.height = painting.height;
    shown.getContext("2d")?.drawImage(painting.canvas, 0, 0);
  });
  // The state has to be read for a size that came with a start picture.
  model.canvas.field("size").value;
  useEffect(() => () => painting.end(), [painting]);

  const place = (event: { clientX: number; clientY: number }): Point => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box?.width || !box.height) return [0, 0];
    return [
      ((event.clientX - box.left) / box.width) * painting.width,
      ((event.clientY - box.top) / box.height) * painting.height,
    ];
  };
  const begin = (at: Point) => {
    const { tool, colour, size } = model.pen.peek();
    if (tool === "fill") painting.fill(colour, at);
    else painting.begin(tool === "eraser" ? WHITE : colour, size, at);
    return tool !== "fill";
  };
  const press = (event: PointerEvent) => {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    area.current?.focus({ preventScroll: true });
    cursor.value = undefined;
    isDown.current = begin(place(event));
    if (isDown.current) canvas.current?.setPointerCapture?.(event.pointerId);
  };
  const drag = (event: PointerEvent) => {
    if (!isDown.current || !event.isPrimary) return;
    const all = event.getCoalescedEvents?.() ?? [];
    painting.move(...(all.length > 0 ? all : [event]).map(place));
  };
  const release = () => {
    isDown.current = false;
    painting.end();
  };
  const key = (event: KeyboardEvent) => {
    if (!handleKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const handleKey = (event: KeyboardEvent): boolean => {
    const lower = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (lower === "z") (event.shiftKey ? () => painting.redo() : () => painting.undo())();
      else if (lower === "y") painting.redo();
      else return false;
      return true;
    }
    const arrow = ARROWS[event.key];
    const now: Point = cursor.peek() ?? [painting.width / 2, painting.height / 2];
    if (arrow) {
      const step = event.shiftKey ? FINE : STEP;
      const next: Point = [
        clamp(now[0] + arrow[0] * step, painting.width),
        clamp(now[1] + arrow[1] * step, painting.height),
      ];
      cursor.value = next;
      if (isDown.current) painting.move(next);
      return true;
    }
    const tool = TOOLS.find((each) => each.key === lower)?.tool;
    const { size } = model.pen.peek();
    if (tool) model.choose({ tool });
    else if (event.key === "[") model.choose({ size: Math.max(SIZES.least, size - 4) });
    else if (event.key === "]") model.choose({ size: Math.min(SIZES.most, size + 4) });
    else if (event.key === " ") {
      cursor.value = now;
      if (isDown.current) release();
      else isDown.current = begin(now);
    } else if (event.key === "Escape" && isDown.current) release();
    else return false;
    return true;
  };
  const at = cursor.value;
  const { size } = model.pen.value;
  return (
    <div
      ref={area}
      class="fal-nb-carea"
      style={{ aspectRatio: `${painting.width} / ${painting.height}` }}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is drawn on by keys, which it names
      tabIndex={0}
      aria-label={`drawing of ${painting.width} by ${painting.height} pixels`}
      aria-keyshortcuts="B E F Space Control+Z Control+Shift+Z"
      title="keys: arrows move, Space puts the pen down and up, b e f choose the tool, [ ] its size, Ctrl+Z undoes"
      onKeyDown={key}
      onBlur={() => {
        cursor.value = undefined;
        release();
      }}
    >
      <canvas
        ref={canvas}
        width={painting.width}
        height={painting.height}
        onPointerDown={press}
        onPointerMove={drag}
        onPointerUp={release}
        onPointerCancel={release}
        onLostPointerCapture={release}
      />
      {at && (
        <span
          class="fal-nb-ccursor"
          aria-hidden="true"
          style={{
            left: `${(at[0] / painting.width) * 100}%`,
            top: `${(at[1] / painting.height) * 100}%`,
            width: `${(size / painting.width) * 100}%`,
          }}
        />
      )}
    </div>
  );
}

const ARROWS: Record<string, Point> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}

function Pictures({ model, painting }: PadProps) {
  const error = useSignal("");
  const take = async (file: File | undefined) => {
    if (!file) return;
    const url = URL.createObjectURL(file);
    try {
      const picture = new Image();
      picture.src = url;
      await picture.decode();
      painting.put(picture, picture.naturalWidth, picture.naturalHeight);
      error.value = "";
    } catch {
      error.value = `${file.name} is no picture that the browser can show`;
    } finally {
      URL.revokeObjectURL(url);
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is beside the button, which does the same
    <div
      class="fal-nb-cpictures"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void take(event.dataTransfer?.files[0]);
      }}
    >
      <label class="fal-nb-button fal-nb-fpick">
        Draw on a file
        <input
          type="file"
          class="fal-nb-spoken"
          accept="image/*"
          aria-label="draw on a picture from a file"
          onChange={(event) => {
            void take(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </label>
      <form
        class="fal-nb-cfrom"
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get("record");
          const record = Number(String(text).replace(/^#/, ""));
          if (Number.isInteger(record) && record > 0) model.canvas.send({ kind: "start", record });
        }}
      >
        <label>
          or on #
          <input
            type="text"
            inputMode="numeric"
            name="record"
            class="fal-nb-fnumber"
            aria-label="record in the history"
          />
        </label>
        <button type="submit" class="fal-nb-button">
          Use
        </button>
      </form>
      {error.value && (
        <div class="fal-nb-fwrong" role="alert">
          {error.value}
        </div>
      )}
    </div>
  );
}
