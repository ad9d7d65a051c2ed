/** Whether all films and sounds in sight of a board are wanted to play, and the clock they share. */

import { type Signal, signal } from "@preact/signals";
import { InStep } from "../lib/in_step";
import type { BoardModel } from "./board_model";

export interface Step {
  isWanted: Signal<boolean>;
  players: InStep;
}

const steps = new WeakMap<BoardModel, Step>();

export function stepOf(board: BoardModel): Step {
  let step = steps.get(board);
  if (!step) {
    const players = new InStep();
    const isWanted = signal(false);
    isWanted.subscribe((value) => {
      if (!value) players.pause();
    });
    step = { isWanted, players };
    steps.set(board, step);
  }
  return step;
}
