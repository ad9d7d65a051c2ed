/** The outputs of a job card as slides of the lightbox. */

import { computed, signal } from "@preact/signals";
import type { CardModel } from "../card/card_model";
import { fileSize, money, seconds } from "../lib/format";
import type { MediaStore } from "../lib/media";
import type { Output } from "../lib/messages";
import type { Slides, Words } from "./slides";

const NONE = signal(undefined);

export function cardSlides(card: CardModel, media: MediaStore, outputs: readonly Output[]): Slides {
  const words = computed<Words>(() => ({
    arguments: card.field("arguments").value ?? {},
    request_id: card.field("request_id").value,
    reason: card.field("error").value ?? undefined,
  }));
  return {
    count: outputs.length,
    media,
    slide: (at) => {
      const output = outputs[at];
      const { width, height } = output ?? {};
      return {
        title:
          card.field("prompt").value?.trim().slice(0, 300) ||
          output?.file_name ||
          card.field("endpoint").value ||
          "",
        facts: [
          outputs.length > 1 ? `${at + 1} of ${outputs.length}` : "",
          output?.file_name ?? "",
          width && height ? `${width}×${height}` : "",
          fileSize(output?.size_bytes),
          seconds(card.field("inference_s").value),
          money(card.field("cost").value, card.field("currency").value),
        ].filter(Boolean),
        output,
        text: output?.text ?? "",
      };
    },
    thumbnail: (at) => {
      const output = outputs[at];
      return output ? computed(() => media.get(output, "thumbnail").value.url) : NONE;
    },
    words: () => words,
  };
}
