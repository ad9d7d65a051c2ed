/** One model as a card. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ModelsModel } from "./models_model";

interface CardProps {
  models: ModelsModel;
  at: number;
  place: number;
  style: string;
}

export function Card({ models, at, place, style }: CardProps) {
  const row = models.row(place).value;
  const isActive = models.active.value === at;
  const ref = useRef<HTMLButtonElement>(null);
  useEffect(() => models.want(place), [models, place, row]);
  useLayoutEffect(() => {
    const root = ref.current?.getRootNode() as Document | ShadowRoot | undefined;
    const focused = root?.activeElement;
    // Where the keys have moved on from another card, the focus goes with them.
    if (isActive && focused !== ref.current && focused?.classList.contains("fal-nb-ccard"))
      ref.current?.focus();
  }, [isActive]);
  if (!row) return <li class="fal-nb-cwaiting" style={style} />;
  const [, endpoint, name, category, status, tags, description] = row;
  const picture = models.picture(row).value;
  const marks = status && status !== "active" ? [status, ...tags] : tags;
  return (
    <li class="fal-nb-citem" style={style}>
      <button
        ref={ref}
        type="button"
        class="fal-nb-ccard"
        data-endpoint={endpoint}
        tabIndex={isActive ? 0 : -1}
        aria-expanded={models.opened.value === place}
        onFocus={() => {
          models.active.value = at;
        }}
        onClick={() => (models.opened.value === place ? models.close() : models.open(place))}
      >
        <span class="fal-nb-cpicture" aria-hidden="true">
          {picture ? <img src={picture} alt="" draggable={false} /> : <i>{category}</i>}
        </span>
        <span class="fal-nb-cname" title={name}>
          {name || endpoint}
        </span>
        <span class="fal-nb-cendpoint" title={endpoint}>
          {endpoint}
        </span>
        <span class="fal-nb-cmarks">
          <span>{category}</span>
          {marks.map((mark) => (
            <span key={mark} data-status={mark === status}>
              {mark}
            </span>
          ))}
        </span>
        <span class="fal-nb-cabout" title={description}>
          {description}
        </span>
      </button>
    </li>
  );
}
