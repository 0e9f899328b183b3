/** The last so many lines that it was given. */
export class RecentLines {
  readonly #capacity: number;
  #lines: string[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  readonly add = (line: string): void => {
    this.#lines.push(line);
    if (this.#lines.length > this.#capacity) this.#lines.shift();
  };

  /** Oldest first, as the objects that they are. */
  read(): unknown[] {
    return this.#lines.map((line): unknown => JSON.parse(line));
  }
}
