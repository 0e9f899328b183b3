import type { Clock, Timer } from '../clock.ts';

/** Calls `bark` once when a stream takes too long, or says nothing for too long. */
export class StreamWatchdog {
  readonly #clock: Clock;
  readonly #bark: () => void;
  #deadline: Timer | undefined;
  #silence: Timer | undefined;
  #lastFed: number;
  #barked = false;

  constructor(clock: Clock, bark: () => void) {
    this.#clock = clock;
    this.#bark = bark;
    this.#lastFed = clock.monotonic();
  }

  get barked(): boolean {
    return this.#barked;
  }

  /** Barks `ms` from now, whatever arrives. */
  limitTotal(ms: number): void {
    this.#deadline?.cancel();
    this.#deadline = this.#clock.setTimer(() => this.#expire(), ms);
  }

  /** Barks when `fed` was not called for `ms`. The timer is moved only when it fires, so that feeding costs next to nothing. */
  limitSilence(ms: number): void {
    this.#silence?.cancel();
    const check = () => {
      const left = this.#lastFed + ms - this.#clock.monotonic();
      if (left <= 0) this.#expire();
      else this.#silence = this.#clock.setTimer(check, left);
    };
    this.#silence = this.#clock.setTimer(check, ms);
  }

  allowSilence(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
  }

  /** Something arrived. */
  fed(): void {
    this.#lastFed = this.#clock.monotonic();
  }

  release(): void {
    this.#deadline?.cancel();
    this.allowSilence();
  }

  #expire(): void {
    this.release();
    this.#barked = true;
    this.#bark();
  }
}
