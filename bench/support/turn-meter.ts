/**
 * The most CPU time, in milliseconds, that this thread takes between two looks at a timer of a millisecond, which is one turn of the event
 * loop when that is busy. Unlike a delay it does not grow with what else the machine has to do.
 */
export class TurnMeter {
  #longestMs = 0;
  #before = process.threadCpuUsage();
  readonly #timer = setInterval(() => this.#look(), 1);

  /** Ends the measurement. */
  stop(): number {
    clearInterval(this.#timer);
    return this.#longestMs;
  }

  #look(): void {
    const { user, system } = process.threadCpuUsage(this.#before);
    this.#longestMs = Math.max(this.#longestMs, (user + system) / 1000);
    this.#before = process.threadCpuUsage();
  }
}
