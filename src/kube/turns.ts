/**
 * Shares the event loop among everything that has much to do. Work that calls `due()` between small pieces, and `wait()`s when it is
 * told so, never keeps the loop for longer than about one slice, however many such workers there are: waiters go on one a turn.
 */
export class Turns {
  readonly #sliceMs: number;
  readonly #monotonic: () => number;
  #sliceStart: number | undefined;
  #waiting: (() => void)[] = [];
  #scheduled = false;

  constructor(sliceMs = 10, monotonic: () => number = () => performance.now()) {
    this.#sliceMs = sliceMs;
    this.#monotonic = monotonic;
  }

  /** True when the work done in this turn of the event loop has used up its slice. */
  due(): boolean {
    const now = this.#monotonic();
    if (this.#sliceStart === undefined) {
      this.#sliceStart = now;
      this.#schedule();
      return false;
    }
    return now - this.#sliceStart >= this.#sliceMs;
  }

  /** Resolves in a later turn of the event loop, in the order of the calls. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sliceStart = undefined;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}

/** The process has one event loop, so one object shares it. */
export const turns = new Turns();
