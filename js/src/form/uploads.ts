/** Files on their way to the kernel: in parts, a few at a time, so that nothing piles up on the way. */

import { type Signal, signal } from "@preact/signals";
import type { FormEvent, FormMessage } from "../lib/form_messages";

const PART_BYTES = 360_000;
const AHEAD = 4;

export interface Upload {
  name: string;
  /** Share that has arrived, 0 to 1. */
  progress: Signal<number>;
  error: Signal<string>;
}

interface UnderWay extends Upload {
  file: File;
  sent: number;
  arrived: number;
  stored: (value: string) => void;
}

export class Uploads {
  readonly #send: (event: FormEvent) => void;
  readonly #underWay = new Map<string, UnderWay>();
  #count = 0;

  constructor(send: (event: FormEvent) => void) {
    this.#send = send;
  }

  start(file: File, stored: (value: string) => void): Upload {
    this.#count += 1;
    const id = `${Date.now().toString(36)}-${this.#count}`;
    const upload: UnderWay = {
      name: file.name,
      file,
      sent: 0,
      arrived: 0,
      stored,
      progress: signal(0),
      error: signal(""),
    };
    this.#underWay.set(id, upload);
    void this.#feed(id, upload);
    return upload;
  }

  receive(message: Exclude<FormMessage, { kind: "card" | "preview" }>): void {
    const upload = this.#underWay.get(message.upload);
    if (!upload) return;
    if (message.kind === "file-part") {
      upload.arrived += 1;
      upload.progress.value = Math.min(1, message.received / Math.max(1, upload.file.size));
      void this.#feed(message.upload, upload);
      return;
    }
    this.#underWay.delete(message.upload);
    if (message.kind === "file-error") upload.error.value = message.error;
    else {
      upload.progress.value = 1;
      upload.stored(message.value);
    }
  }

  close(): void {
    this.#underWay.clear();
  }

  async #feed(id: string, upload: UnderWay): Promise<void> {
    const { file } = upload;
    const parts = Math.max(1, Math.ceil(file.size / PART_BYTES));
    while (upload.sent < parts && upload.sent < upload.arrived + AHEAD) {
      const part = upload.sent;
      upload.sent += 1;
      const piece = file.slice(part * PART_BYTES, (part + 1) * PART_BYTES);
      const data = base64(new Uint8Array(await piece.arrayBuffer()));
      if (this.#underWay.get(id) !== upload) return;
      this.#send({ kind: "file", upload: id, name: file.name, size: file.size, part, data });
    }
  }
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
