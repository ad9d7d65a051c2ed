/** What lightbox and compare need of a list of outputs, whatever view they come from. */

import type { ReadonlySignal } from "@preact/signals";
import type { Arguments } from "../compare/argument_diff";
import type { MediaStore } from "../lib/media";
import type { Output } from "../lib/messages";

export interface Words {
  arguments?: Arguments;
  request_id?: string | null;
  reason?: string;
  text?: string;
}

export interface Slide {
  /** What it is, in a few words: its labels, or its prompt. */
  title: string;
  /** Time, cost, rating and the like, each in a few words. */
  facts: readonly string[];
  output?: Output;
  /** What there is to read where there is nothing to see. */
  text: string;
  cost?: number;
  seconds?: number;
  currency?: string | null;
}

export interface Slides {
  readonly count: number;
  readonly media: MediaStore;
  slide(at: number): Slide;
  /** The Blob URL of its small picture, asked for when read. */
  thumbnail(at: number): ReadonlySignal<string | undefined>;
  /** Its arguments and the rest, asked for when read; undefined until they are here. */
  words(at: number): ReadonlySignal<Words | undefined>;
  /** Keeps a rating, where the view has ratings. */
  rate?(at: number, rating: number | null): void;
}
