/** How long frames take from the page and back, and how many come. */

const KEPT = 120;
const RATE_MS = 3_000;

export interface Pace {
  frames: number;
  p50?: number;
  p95?: number;
  perSecond: number;
}

export class RoundTrips {
  readonly #now: () => number;
  readonly #sentAt = new Map<number, number>();
  #trips: number[] = [];
  #shownAt: number[] = [];
  frames = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Another mount counts its inputs from the beginning. */
  begin(): void {
    this.#sentAt.clear();
  }

  sent(input: number): void {
    this.#sentAt.set(input, this.#now());
  }

  /** A frame is shown; it answers an input of this page, and with it all before, or none. */
  shown(input: number | undefined): void {
    const now = this.#now();
    this.frames += 1;
    this.#shownAt.push(now);
    this.#shownAt = this.#shownAt.filter((at) => at > now - RATE_MS);
    const sent = input === undefined ? undefined : this.#sentAt.get(input);
    if (input === undefined || sent === undefined) return;
    this.#trips = [...this.#trips.slice(1 - KEPT), now - sent];
    for (const number of this.#sentAt.keys()) if (number <= input) this.#sentAt.delete(number);
  }

  get pace(): Pace {
    const ordered = [...this.#trips].sort((a, b) => a - b);
    const quantile = (share: number) =>
      ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))];
    const since = this.#now() - RATE_MS;
    const recent = this.#shownAt.filter((at) => at > since).length;
    return {
      frames: this.frames,
      p50: quantile(0.5),
      p95: quantile(0.95),
      perSecond: recent / (RATE_MS / 1000),
    };
  }
}
