import { afterEach, expect, test, vi } from "vitest";
import { BoardPage } from "../src/page/board_page";
import { Stored } from "../src/page/stored";
import { AXES, boardState, done } from "./board_fixture";

afterEach(() => vi.useRealTimers());

test("a board in a file says of a solid that only a notebook turns it, and of others that they are not here", () => {
  vi.useFakeTimers();
  const home = document.createElement("div");
  const state = document.createElement("script");
  state.type = "application/json";
  state.dataset.falNb = "state";
  state.textContent = JSON.stringify(
    boardState(AXES.slice(0, 1), (place) =>
      place === 0 ? done(place) : done(place, "mesh", "model/gltf-binary"),
    ),
  );
  home.append(state);
  const page = new BoardPage(new Stored(home));
  const answers: unknown[] = [];
  page.on("msg:custom", (content) => answers.push(content));
  for (const index of [0, 1]) page.send({ kind: "media", which: "original", index });
  vi.runAllTimers();
  expect(answers).toMatchObject([
    { kind: "media-error", index: 0, error: "the original is not in this file" },
    { kind: "media-error", index: 1, error: expect.stringContaining("only a notebook") },
  ]);
});
