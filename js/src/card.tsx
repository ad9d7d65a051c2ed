/** The job card: what one job is doing, what it did, and how to stop it. */

import { render as renderInto } from "preact";
import { Copying } from "./card/copying";
import { Announcer, Equal, Header, Prompt } from "./card/header";
import { Logs } from "./card/logs";
import { Notice, Stalled } from "./card/notice";
import { Outputs } from "./card/outputs";
import outputsCss from "./card/outputs.css?inline";
import { Progress } from "./card/progress";
import cardCss from "./card.css?inline";
import { mediaStore } from "./lib/media";
import type { CardEvent, CardMessage, CardState } from "./lib/messages";
import { Live } from "./lib/model";
import { addStyle } from "./lib/style";
import { watchVisible } from "./lib/visible";
import type { CleanUp, RenderContext } from "./lib/widget";

/** A card this far out of sight, in pixels, is not kept up to date step by step. */
const NEAR_PX = 400;

function render({ model, el, signal }: RenderContext): CleanUp {
  addStyle(el, "card", cardCss + outputsCss);
  const card = new Live<CardState, CardEvent>(model, isUrgent);
  const media = mediaStore(card.field("view").peek());
  const release = media.hold((request) => card.send(request));
  const copying = new Copying(card);
  card.onMessage((content, buffers) => {
    copying.receive(content as CardMessage);
    media.receive(content as CardMessage, buffers);
  });
  renderInto(
    <section class="fal-nb-card">
      <Announcer card={card} />
      <Header card={card} copying={copying} />
      <Prompt card={card} />
      <Equal card={card} />
      <Progress card={card} />
      <Stalled card={card} />
      <Notice card={card} />
      <Logs card={card} />
      <Outputs card={card} media={media} />
    </section>,
    el,
  );
  const section = el.firstElementChild as HTMLElement;
  const unwatch = watchVisible(section, NEAR_PX, (isNear) => {
    card.hold(!isNear);
    section.dataset.away = String(!isNear);
  });
  let isOver = false;
  const cleanUp = () => {
    if (isOver) return;
    isOver = true;
    unwatch();
    copying.stop();
    renderInto(null, el);
    card.close();
    release();
  };
  signal?.addEventListener("abort", cleanUp);
  return cleanUp;
}

/** What changes the card's height, or is told to a screen reader. */
function isUrgent(before: Partial<CardState>, after: Partial<CardState>): boolean {
  return (
    before.state !== after.state ||
    before.cancel !== after.cancel ||
    before.stalled?.[0] !== after.stalled?.[0] ||
    before.outputs?.length !== after.outputs?.length
  );
}

export default { render };
