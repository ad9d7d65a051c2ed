/** The cards of what a form has started, each a whole job card over a model of its own. */

import { useEffect, useRef } from "preact/hooks";
import card from "../card";
import type { FormEvent, FormMessage, FormState } from "../lib/form_messages";
import type { Buffers } from "../lib/messages";
import type { Live } from "../lib/model";
import { ViewModel } from "../lib/view_model";
import type { FormProps } from "./form_model";

export function Cards({ form }: FormProps) {
  const cards = form.live.field("cards").value ?? [];
  return (
    <div class="fal-nb-fcards">
      {cards.map((id) => (
        <Card key={id} id={id} live={form.live} />
      ))}
    </div>
  );
}

function Card({ id, live }: { id: string; live: Live<FormState, FormEvent> }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const el = place.current;
    if (!el) return;
    const field = live.field(`card:${id}`);
    const model = new ViewModel({
      local: new Map(),
      state: () => field.peek() ?? {},
      nowOffset: () => Date.now() / 1000 - live.now(),
      send: (content) => live.send({ kind: "card", card: id, content }),
    });
    const unsubscribe = field.subscribe(() => model.emit("change:state"));
    live.onMessage((content, buffers: Buffers) => {
      const message = content as FormMessage;
      if (message.kind === "card" && message.card === id) model.emit("msg:custom", message.content, buffers);
    });
    const cleanUp = card.render({ model, el });
    return () => {
      unsubscribe();
      cleanUp();
    };
  }, [id, live]);
  return <div ref={place} />;
}
