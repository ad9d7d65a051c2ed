/** What a form holds while it is in the page: values, problems, files under way. Edits go to the kernel debounced. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  Field,
  FormEvent,
  FormMessage,
  FormState,
  Json,
  Path,
  Problem,
  Values,
} from "../lib/form_messages";
import type { Buffers } from "../lib/messages";
import type { Live } from "../lib/model";
import { type Upload, Uploads } from "./uploads";
import { withPart } from "./values";

const DEBOUNCE_MS = 250;
const MOST_LEFT = 8;

/** What outlives a mount: the front end replaces an output when its twin is brought up to date. */
interface Draft {
  /** The mounts that have ended, newest last; one that still stands beside this one is another page. */
  left: string[];
  edit: number;
  values: Values;
  wasTried: boolean;
}

export class FormModel {
  readonly live: Live<FormState, FormEvent>;
  readonly fields: ReadonlySignal<Field[]>;
  readonly values: Signal<Values>;
  readonly cell: ReadonlySignal<string>;
  /** What the page itself found wrong, by the path's JSON: text that is not JSON. */
  readonly own = signal<ReadonlyMap<string, string>>(new Map());
  /** Pictures of local files, by the value that names them: a Blob URL, or nothing where there is none. */
  readonly previews = signal<ReadonlyMap<string, string | null>>(new Map());
  /** Whether somebody has wanted to run it, so that what is still missing is said at each field. */
  readonly wasTried = signal(false);
  readonly uploads: Uploads;
  /** Distinguishes the ids of one mount, since a view may be in the page twice. */
  readonly id = randomId();
  readonly #page = randomId();
  readonly #blobs: string[] = [];
  #edit = 0;
  #timer?: ReturnType<typeof setTimeout>;
  readonly #stop: () => void;

  constructor(live: Live<FormState, FormEvent>) {
    this.live = live;
    this.fields = computed(() => parsed(live.field("fields").value, []));
    this.cell = computed(() => parsed(live.field("cell").value, ""));
    const edit = live.field("edit");
    const draft = this.#draft;
    const [knownBy, known] = edit.peek() ?? ["", 0];
    // What was typed into a mount before this one counts, also what the kernel has not told of yet.
    const isNewer = draft !== undefined && draft.edit >= known;
    this.#edit = isNewer ? draft.edit : known;
    this.values = signal(isNewer ? draft.values : parsed(live.field("values").peek(), {}));
    this.wasTried.value = draft?.wasTried ?? false;
    this.uploads = new Uploads((event) => live.send(event));
    // Another page, or the notebook, has filled the form in.
    this.#stop = edit.subscribe((by) => {
      if (!by || by[0] === this.#page || by[1] < this.#edit) return;
      // The mount before this one may end after this one has begun, and its last word be told of later still.
      if (this.#draft?.left.includes(by[0]) || (isNewer && by[0] === knownBy && by[1] === known)) return;
      this.#edit = by[1];
      this.values.value = parsed(live.field("values").peek(), {});
    });
  }

  /** Tells the kernel once more what it may not have heard, as the connection was lost under the mount before. */
  tellUnheard(): void {
    if (this.#edit > (this.live.field("edit").peek()?.[1] ?? 0)) this.later();
  }

  /** Whether problems, cell and price are about what is filled in now. */
  get isFresh(): boolean {
    const looked = this.live.field("looked").value;
    const edit = this.live.field("edit").value;
    return looked !== null && looked?.[1] === edit?.[1] && !this.#isWaiting.value;
  }

  readonly #isWaiting = signal(false);

  get problems(): Problem[] {
    return this.live.field("problems").value ?? [];
  }

  set(name: string, value: Json): void {
    this.values.value = withPart(this.values.peek(), name, value);
    this.#keep();
    this.later();
  }

  /** Tells the kernel of an edit once the typing rests. */
  protected later(): void {
    clearTimeout(this.#timer);
    this.#isWaiting.value = true;
    this.#timer = setTimeout(() => this.#say("edit"), DEBOUNCE_MS);
  }

  /** What is filled in, as this page's next edit. */
  protected nextEdit(): { page: string; edit: number; values: string } {
    this.#edit += 1;
    this.#keep();
    return { page: this.#page, edit: this.#edit, values: JSON.stringify(this.values.peek()) };
  }

  /** What the kernel calls this mount. */
  protected get page(): string {
    return this.#page;
  }

  run(): void {
    this.wasTried.value = true;
    if (this.own.peek().size === 0) this.#say("run");
  }

  /** Keeps or takes back what the page itself found wrong. */
  note(path: Path, message: string | undefined): void {
    const key = JSON.stringify(path);
    if (this.own.peek().get(key) === message) return;
    const own = new Map(this.own.peek());
    if (message === undefined) own.delete(key);
    else own.set(key, message);
    this.own.value = own;
  }

  /** Picks a file: sends it to the kernel and keeps its picture. */
  pick(file: File, stored: (value: string) => void): Upload {
    return this.uploads.start(file, (value) => {
      if (/^(image|video|audio)\//.test(file.type) && file.type !== "image/svg+xml") {
        this.#keepPreview(value, file);
      }
      stored(value);
    });
  }

  /** Asks once for the picture of a local file. */
  askPreview(value: string): void {
    if (this.previews.peek().has(value)) return;
    this.previews.value = new Map(this.previews.peek()).set(value, null);
    this.live.send({ kind: "preview", value });
  }

  receive(message: FormMessage, buffers: Buffers): void {
    if (message.kind === "preview") {
      const bytes = buffers[0];
      if (message.found && bytes) {
        this.#keepPreview(message.value, new Blob([bytes as BlobPart], { type: "image/webp" }));
      }
    } else if (message.kind !== "card") {
      this.uploads.receive(message);
    }
  }

  close(): void {
    if (this.#timer !== undefined && this.#isWaiting.peek()) this.#say("edit");
    this.#keep(this.#page);
    this.#stop();
    this.uploads.close();
    for (const url of this.#blobs) URL.revokeObjectURL(url);
  }

  #say(kind: "edit" | "run"): void {
    clearTimeout(this.#timer);
    this.#isWaiting.value = false;
    this.live.send({ kind, ...this.nextEdit() });
  }

  get #draft(): Draft | undefined {
    return this.live.kept("draft") as Draft | undefined;
  }

  #keep(left?: string): void {
    const before = this.#draft?.left ?? [];
    const draft: Draft = {
      left: left === undefined ? before : [...before, left].slice(-MOST_LEFT),
      edit: this.#edit,
      values: this.values.peek(),
      wasTried: this.wasTried.peek(),
    };
    this.live.keep("draft", draft);
  }

  #keepPreview(value: string, blob: Blob): void {
    const url = URL.createObjectURL(blob);
    this.#blobs.push(url);
    this.previews.value = new Map(this.previews.peek()).set(value, `${blob.type} ${url}`);
  }
}

export interface FormProps {
  form: FormModel;
}

function parsed<T>(text: string | undefined, otherwise: T): T {
  try {
    return text ? JSON.parse(text) : otherwise;
  } catch {
    return otherwise;
  }
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
