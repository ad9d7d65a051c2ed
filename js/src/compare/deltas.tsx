/** What the compared calls differ in: cost, time, and those of their arguments that are not the same. */

import { isNumber, money, seconds } from "../lib/format";
import type { Slides } from "../lightbox/slides";
import { differences, valueWords } from "./argument_diff";
import { Words } from "./diff_words";

const LETTERS = ["A", "B", "C", "D"];

export function Deltas({ slides }: { slides: Slides }) {
  const all = Array.from({ length: slides.count }, (_, at) => at);
  const shown = all.map((at) => slides.slide(at));
  const words = all.map((at) => slides.words(at).value?.arguments);
  const isKnown = words.every((each) => each !== undefined);
  const found = isKnown ? differences(words.map((each) => each ?? {})) : [];
  return (
    <section
      class="fal-nb-cdeltas"
      aria-label="differences"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
      tabIndex={0}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">differs in</th>
            {all.map((at) => (
              <th key={at} scope="col">
                {LETTERS[at]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Numbers
            name="cost"
            values={shown.map(({ cost }) => cost)}
            words={(value) => money(value, shown[0]?.currency)}
          />
          <Numbers name="time" values={shown.map((slide) => slide.seconds)} words={seconds} />
          {found.map(({ path, values }) => (
            <tr key={path}>
              <th scope="row">{path}</th>
              {values.map((value, at) => (
                <td key={at}>
                  {at > 0 && isText(values[0]) && isText(value) ? (
                    <Words before={values[0]} after={value} />
                  ) : (
                    valueWords(value)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {isKnown && found.length === 0 && <p class="fal-nb-quiet">All arguments are the same.</p>}
      {!isKnown && <p class="fal-nb-quiet">fetching the arguments…</p>}
    </section>
  );
}

interface NumbersProps {
  name: string;
  values: readonly (number | undefined)[];
  words: (value: number) => string;
}

/** A row of numbers, each but the first with what it is more or less than that one. */
function Numbers({ name, values, words }: NumbersProps) {
  if (!values.some(isNumber)) return null;
  return (
    <tr>
      <th scope="row">{name}</th>
      {values.map((value, at) => (
        <td key={at}>
          {isNumber(value) ? words(value) : "–"}
          {at > 0 && <span class="fal-nb-quiet">{delta(values[0], value)}</span>}
        </td>
      ))}
    </tr>
  );
}

/** ` +20 %`, ` −5 %`; empty where nothing can be said. */
export function delta(first: number | undefined, value: number | undefined): string {
  if (!isNumber(first) || !isNumber(value) || first === 0) return "";
  const percent = Math.round((100 * (value - first)) / first);
  if (percent === 0) return value === first ? " same" : " ±0 %";
  return percent > 0 ? ` +${percent} %` : ` −${-percent} %`;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && /\s/.test(value);
}
