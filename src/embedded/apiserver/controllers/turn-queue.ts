const itemsPerTurn = 50;

/** Handles distinct items soon, in order, a few in each turn of the event loop, so that requests get their turn in between. */
export class TurnQueue<T> {
  readonly #handle: (item: T) => void;
  readonly #items = new Set<T>();
  #turn: NodeJS.Immediate | undefined;

  constructor(handle: (item: T) => void) {
    this.#handle = handle;
  }

  add(item: T): void {
    this.#items.add(item);
    this.#turn ??= setImmediate(() => this.#run());
  }

  stop(): void {
    clearImmediate(this.#turn);
    this.#items.clear();
  }

  #run(): void {
    this.#turn = undefined;
    let left = itemsPerTurn;
    for (const item of this.#items) {
      if (left-- === 0) break;
      this.#items.delete(item);
      this.#handle(item);
    }
    if (this.#items.size > 0) this.#turn = setImmediate(() => this.#run());
  }
}
