/** Plays several films or sounds in step: one of them leads, the others are put right when they drift. */

const DRIFT_S = 0.08;
const CHECK_MS = 250;

export class InStep {
  readonly #players = new Set<HTMLMediaElement>();
  #timer?: ReturnType<typeof setInterval>;

  get isPlaying(): boolean {
    return this.#timer !== undefined;
  }

  /** Takes a player in; returns how to let it go. */
  add(player: HTMLMediaElement): () => void {
    this.#players.add(player);
    if (this.isPlaying) this.#start(player, this.time);
    return () => {
      this.#players.delete(player);
      if (this.#players.size === 0) this.pause();
    };
  }

  /** Seconds at which the leader is: the longest of them, so that nothing is cut off. */
  get time(): number {
    return this.#leader()?.currentTime ?? 0;
  }

  get duration(): number {
    const { duration } = this.#leader() ?? { duration: 0 };
    return Number.isFinite(duration) ? duration : 0;
  }

  play(): void {
    if (this.isPlaying || this.#players.size === 0) return;
    const leader = this.#leader();
    const at = leader?.ended ? 0 : this.time;
    this.#timer = setInterval(() => this.#putRight(), CHECK_MS);
    for (const player of this.#players) this.#start(player, at);
  }

  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const player of this.#players) player.pause();
  }

  seek(time: number): void {
    for (const player of this.#players) player.currentTime = within(player, time);
  }

  #start(player: HTMLMediaElement, at: number): void {
    player.currentTime = within(player, at);
    player.play()?.catch(() => {}); // not allowed before a click, or taken away meanwhile
  }

  #putRight(): void {
    const leader = this.#leader();
    if (!leader) return;
    if (leader.ended) {
      for (const player of this.#players) this.#start(player, 0);
      return;
    }
    for (const player of this.#players) {
      const wanted = within(player, leader.currentTime);
      if (player !== leader && Math.abs(player.currentTime - wanted) > DRIFT_S) player.currentTime = wanted;
    }
  }

  #leader(): HTMLMediaElement | undefined {
    const length = (player: HTMLMediaElement) => (Number.isFinite(player.duration) ? player.duration : 0);
    return [...this.#players].reduce<HTMLMediaElement | undefined>(
      (best, player) => (best && length(best) >= length(player) ? best : player),
      undefined,
    );
  }
}

/** A shorter film stays on its last picture until the longest has ended. */
function within(player: HTMLMediaElement, time: number): number {
  return Number.isFinite(player.duration) ? Math.min(time, player.duration) : time;
}
