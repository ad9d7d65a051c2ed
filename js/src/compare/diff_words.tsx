/** One value beside the one it is compared with: texts word by word, other values one after the other. */

import { valueWords, wordDiff } from "./argument_diff";

export function Words({ before, after }: { before: unknown; after: unknown }) {
  if (typeof before === "string" && typeof after === "string" && /\s/.test(before + after)) {
    return (
      <>
        {wordDiff(before, after).map(({ text, is }, at) => {
          // biome-ignore-start lint/suspicious/noArrayIndexKey: pieces have no names but their places
          if (is === "gone") return <del key={at}>{text}</del>;
          if (is === "new") return <ins key={at}>{text}</ins>;
          return <span key={at}>{text}</span>;
          // biome-ignore-end lint/suspicious/noArrayIndexKey: as above
        })}
      </>
    );
  }
  return (
    <>
      <del>{valueWords(before)}</del> <ins>{valueWords(after)}</ins>
    </>
  );
}
