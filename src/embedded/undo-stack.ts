/** What has been started and has to be ended again, last first. */
export class UndoStack {
  readonly #steps: (() => unknown)[] = [];
  #running: Promise<void> | undefined;

  /** `undo` may return a promise. */
  push(undo: () => unknown): void {
    this.#steps.push(undo);
  }

  get begun(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Takes every step, also after one has failed: one part that cannot be ended is no reason to leave the others running. The
   * same promise for every caller; it rejects with the first failure once all steps were taken.
   */
  undo(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** For a way out that has an error to tell already: undoes all and rejects with that error, which is the cause. */
  async undoAndThrow(cause: unknown): Promise<never> {
    await this.undo().catch(() => undefined);
    throw cause;
  }
}
