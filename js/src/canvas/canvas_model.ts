/**
 * What a canvas holds while it is in the page: the drawing, the fields, the newest frame, how fast frames come.
 *
 * Its invariant: at most `ahead` inputs are on their way that no frame has answered, and 25 a second; of what changes
 * meanwhile only the newest is sent. Each frame is answered once it is shown, so that few are on their way here.
 */

import { effect, type Signal, signal } from "@preact/signals";
import { FormModel } from "../form/form_model";
import type { CanvasEvent, CanvasFrame, CanvasMessage, CanvasState } from "../lib/canvas_messages";
import type { FormEvent, FormMessage, FormState } from "../lib/form_messages";
import { displayType } from "../lib/media";
import type { Buffers } from "../lib/messages";
import type { Live } from "../lib/model";
import { Painting } from "./painting";
import { type Pace, RoundTrips } from "./round_trips";

const LEAST_MS = 40;
/** After so long without an answer one more input may go: what was on its way is lost, or was refused. */
const STALE_MS = 1_000;
const PACE_MS = 250;

export type Tool = "brush" | "eraser" | "fill";

export interface Pen {
  tool: Tool;
  colour: string;
  size: number;
}

export interface Shown {
  url: string;
  frame: number;
  input?: number;
}

/** What has changed and was not sent yet. */
interface Unsent {
  drawing: boolean;
  values: boolean;
  /** Although the line is held: somebody has said to go on. */
  isForced: boolean;
}

export class CanvasModel extends FormModel {
  readonly painting?: Painting;
  readonly pen: Signal<Pen>;
  readonly shown = signal<Shown | undefined>(undefined);
  readonly pace = signal<Pace>({ frames: 0, perSecond: 0 });
  readonly inFlight = signal(0);
  readonly wireMs = signal<number | undefined>(undefined);
  /** Blob URLs of pinned frames, by record. */
  readonly pinned = signal<ReadonlyMap<number, string>>(new Map());
  /** The most inputs that were on their way at once. */
  mostAhead = 0;
  readonly canvas: Live<CanvasState, CanvasEvent>;
  readonly #trips: RoundTrips;
  readonly #stops: (() => void)[] = [];
  #sent = 0;
  #answered = 0;
  #lastSent = Number.NEGATIVE_INFINITY;
  #lastHeard = 0;
  #isSending = false;
  #isForced = false;
  #isClosed = false;
  #isBeginning = false;
  #dirty = { drawing: false, values: false };
  #timer?: ReturnType<typeof setTimeout>;
  #paceTimer?: ReturnType<typeof setTimeout>;

  constructor(live: Live<CanvasState, CanvasEvent>, make?: ConstructorParameters<typeof Painting>[2]) {
    super(live as unknown as Live<FormState, FormEvent>);
    this.canvas = live;
    this.#trips = (live.kept("trips") as RoundTrips | undefined) ?? new RoundTrips();
    live.keep("trips", this.#trips);
    this.#trips.begin();
    this.pace.value = this.#trips.pace;
    if (this.pace.peek().perSecond > 0) this.#tellPace();
    const [width, height] = live.field("size").peek() ?? [512, 512];
    if (live.field("drawing").peek()) {
      const kept = live.kept("painting") as Painting | undefined;
      this.painting = kept ?? new Painting(width, height, make);
      live.keep("painting", this.painting);
    }
    this.pen = signal(
      (live.kept("pen") as Pen | undefined) ?? { tool: "brush", colour: "#1f6feb", size: 24 },
    );
    const start = live.field("start");
    this.#stops.push(
      // A mount that is new asks for what it is drawn on and for the newest frame; a new start picture likewise.
      start.subscribe((number) =>
        this.canvas.send({ kind: "picture", start: this.painting?.start ?? number ?? 0 }),
      ),
      live.field("pins").subscribe((pins) => {
        if (pins?.some(({ record }) => !this.pinned.peek().has(record))) this.canvas.send({ kind: "pinned" });
      }),
      // What the kernel has refused, or cannot send, will not be answered.
      effect(() => {
        const refused = (live.field("problems").value?.length ?? 0) > 0 || Boolean(live.field("error").value);
        const isDown = live.field("line").value === "failed";
        if (refused || isDown) this.#answered = this.#sent;
        if (!this.isHeld) this.#pump();
      }),
    );
    // Nothing is sent before somebody has done something: a session is billed by time.
    const before = this.painting?.version.peek();
    if (this.painting) {
      this.#stops.push(
        this.painting.version.subscribe((version) => {
          if (version !== before && !this.#isBeginning) this.#touch("drawing");
        }),
      );
    }
    this.#goOn();
  }

  /** Sends what the mount before this one had not sent yet. */
  #goOn(): void {
    const unsent = this.canvas.kept("unsent") as Unsent | undefined;
    if (!unsent) return;
    this.#dirty = { drawing: unsent.drawing, values: unsent.values };
    this.#isForced = unsent.isForced;
    this.#pump();
  }

  /** Whether the kernel would not send what it is given. */
  get isHeld(): boolean {
    return this.canvas.field("is_paused").value === true || this.canvas.field("line").value === "failed";
  }

  /** How many inputs no frame has answered yet. */
  get ahead(): number {
    return this.#sent - this.#answered;
  }

  choose(pen: Partial<Pen>): void {
    this.pen.value = { ...this.pen.peek(), ...pen };
    this.canvas.keep("pen", this.pen.peek());
  }

  /** Sends everything anew: begins, goes on after a pause, tries again. */
  go(): void {
    this.canvas.send({ kind: "go" });
    this.#answered = this.#sent;
    this.#isForced = true;
    this.#dirty = { drawing: this.painting !== undefined, values: true };
    this.#keepUnsent();
    this.#pump();
  }

  pause(): void {
    this.canvas.send({ kind: "pause" });
  }

  stop(): void {
    this.canvas.send({ kind: "stop" });
  }

  pin(): void {
    const shown = this.shown.peek();
    if (shown) this.canvas.send({ kind: "pin", frame: shown.frame });
  }

  protected override later(): void {
    this.#touch("values");
  }

  override run(): void {
    this.wasTried.value = true;
    this.go();
  }

  receiveMessage(message: CanvasMessage, buffers: Buffers): void {
    const data = buffers[0];
    if (message.kind === "frame") {
      if (data) void this.#show(message, data);
    } else if (message.kind === "start") {
      if (data) void this.#begin(message.start, data);
    } else if (message.kind === "pinned") {
      if (!data) return;
      const url = URL.createObjectURL(new Blob([data as BlobPart], { type: "image/webp" }));
      this.#revoke(this.pinned.peek().get(message.record));
      this.pinned.value = new Map(this.pinned.peek()).set(message.record, url);
    } else {
      this.receive(message as FormMessage, buffers);
    }
  }

  override close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#paceTimer);
    for (const stop of this.#stops) stop();
    this.#revoke(this.shown.peek()?.url);
    for (const url of this.pinned.peek().values()) this.#revoke(url);
    super.close();
  }

  #touch(what: "drawing" | "values"): void {
    this.#dirty[what] = true;
    this.#keepUnsent();
    this.#pump();
  }

  /** The front end puts an output anew also while something is about to go out: the next mount, which comes before
   * this one is closed, sends it. */
  #keepUnsent(): void {
    const unsent = this.canvas.kept("unsent") as Unsent | undefined;
    const { drawing, values } = this.#dirty;
    const isForced = this.#isForced || unsent?.isForced === true;
    this.canvas.keep("unsent", {
      drawing: drawing || unsent?.drawing === true,
      values: values || unsent?.values === true,
      isForced,
    });
  }

  /** Sends the newest input if there is one and it may go now; else as soon as it may. */
  #pump(): void {
    const isDirty = this.#dirty.drawing || this.#dirty.values;
    if (!isDirty || this.#isSending || this.#isClosed) return;
    if (this.isHeld && !this.#isForced) return;
    const now = performance.now();
    const quietMs = now - Math.max(this.#lastHeard, this.#lastSent);
    const isFull = this.ahead >= (this.canvas.field("ahead").peek() ?? 1) && quietMs < STALE_MS;
    const waitMs = Math.max(this.#lastSent + LEAST_MS - now, isFull ? STALE_MS - quietMs : 0);
    clearTimeout(this.#timer);
    if (waitMs > 0) {
      this.#timer = setTimeout(() => this.#pump(), waitMs);
      return;
    }
    void this.#send();
  }

  async #send(): Promise<void> {
    const { drawing, values } = this.#dirty;
    this.#dirty = { drawing: false, values: false };
    this.#isSending = true;
    this.#isForced = false;
    try {
      const data = drawing ? await this.painting?.jpeg() : undefined;
      if (this.#isClosed) return;
      const now = performance.now();
      if (now - Math.max(this.#lastHeard, this.#lastSent) >= STALE_MS) this.#answered = this.#sent;
      this.#sent += 1;
      this.#lastSent = now;
      this.mostAhead = Math.max(this.mostAhead, this.ahead);
      this.#trips.sent(this.#sent);
      const edit = values ? this.nextEdit() : { page: this.page };
      this.canvas.send({ kind: "input", input: this.#sent, ...edit }, data && [data]);
      if (!this.#dirty.drawing && !this.#dirty.values) this.canvas.keep("unsent", undefined);
    } finally {
      this.#isSending = false;
    }
    this.#pump();
  }

  async #show(message: CanvasFrame, data: DataView | ArrayBuffer): Promise<void> {
    const isOwn = message.page === this.page;
    if (isOwn) this.#answered = Math.max(this.#answered, message.input);
    this.#lastHeard = performance.now();
    this.inFlight.value = message.in_flight;
    this.wireMs.value = message.wire_ms;
    const type = displayType(String(message.content_type), "image");
    const isNew = message.frame > (this.shown.peek()?.frame ?? 0);
    if (type && isNew) {
      const url = URL.createObjectURL(new Blob([data as BlobPart], { type }));
      const picture = new Image();
      picture.src = url;
      // Decoded before it is put in the place of the last one, which would flicker otherwise.
      if (typeof picture.decode === "function") await picture.decode().catch(() => {});
      if (this.#isClosed || message.frame <= (this.shown.peek()?.frame ?? 0)) {
        URL.revokeObjectURL(url);
      } else {
        this.#revoke(this.shown.peek()?.url);
        this.shown.value = { url, frame: message.frame, input: isOwn ? message.input : undefined };
        this.#trips.shown(isOwn ? message.input : undefined);
        this.#tellPace();
      }
    }
    if (this.#isClosed) return;
    this.canvas.send({ kind: "seen", frame: message.frame });
    this.#pump();
  }

  /** Begins anew on a picture of the kernel's; it has it, so that it need not be sent back. */
  async #begin(start: number, data: DataView | ArrayBuffer): Promise<void> {
    const [width, height] = this.canvas.field("size").peek() ?? [512, 512];
    const url = URL.createObjectURL(new Blob([data as BlobPart], { type: "image/jpeg" }));
    const picture = new Image();
    picture.src = url;
    await picture.decode?.().catch(() => {});
    if (!this.#isClosed && this.painting && start > this.painting.start) {
      this.painting.start = start;
      this.#isBeginning = true;
      this.painting.reset(width, height, picture);
      this.#isBeginning = false;
    }
    URL.revokeObjectURL(url);
  }

  /** Numbers that change with every frame cannot be read; a rate falls to nothing where no frames come any more. */
  #tellPace(): void {
    this.#paceTimer ??= setTimeout(() => {
      this.#paceTimer = undefined;
      this.pace.value = this.#trips.pace;
      if (this.pace.peek().perSecond > 0) this.#tellPace();
    }, PACE_MS);
  }

  #revoke(url: string | undefined): void {
    if (url) URL.revokeObjectURL(url);
  }
}

export interface CanvasProps {
  model: CanvasModel;
}
