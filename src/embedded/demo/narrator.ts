/** What the demo says, and how it looks on a terminal and elsewhere. */

export interface Terminal {
  write(text: string): void;
  isTTY: boolean;
  /** Colour is for terminals only, and not where NO_COLOR is set (no-color.org). */
  color: boolean;
  columns: number;
}

export function terminalOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Terminal {
  const isTTY = stream.isTTY === true;
  return {
    write: (text) => void stream.write(text),
    isTTY,
    color: isTTY && !env.NO_COLOR && env.TERM !== 'dumb',
    // A pseudo-terminal that nobody has sized says 0.
    columns: isTTY && stream.columns >= 40 ? stream.columns : 100,
  };
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan' | 'yellow';
const CODES: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPIN_MS = 100;

export class Narrator {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #began: number;

  constructor(terminal: Terminal, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#now = now;
    this.#began = now();
  }

  /** Milliseconds since the narration began. */
  get elapsedMs(): number {
    return this.#now() - this.#began;
  }

  style(style: Style, text: string): string {
    return this.#terminal.color ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  }

  title(text: string): void {
    this.#line('');
    this.#line(this.style('bold', text));
  }

  /** Words for the learner, wrapped. */
  say(text: string): void {
    for (const line of wrap(text, Math.min(this.#terminal.columns, 110) - 2)) this.#line(`  ${line}`);
  }

  /** What one would have typed. */
  command(text: string): void {
    this.#line(`  ${this.style('cyan', `$ ${text}`)}`);
  }

  /** Output of a program, as it is. */
  output(lines: readonly string[]): void {
    for (const line of lines) this.#line(`    ${line}`);
  }

  /** A line of a program's output with what it means below it. */
  explained(line: string, meaning: string): void {
    this.#line(`    ${this.style('dim', line)}`);
    for (const [index, part] of wrap(meaning, Math.min(this.#terminal.columns, 110) - 9).entries()) {
      this.#line(`      ${index === 0 ? '→' : ' '} ${part}`);
    }
  }

  /** Something that was checked and holds. */
  holds(text: string): void {
    this.#line(`  ${this.style('green', '✓')} ${text}`);
  }

  failed(text: string): void {
    this.#line(`  ${this.style('red', '✗')} ${text}`);
  }

  blank(): void {
    this.#line('');
  }

  /** One bar a row, on a common scale; `value` of `total`. */
  bars(rows: readonly { label: string; value: number }[], total: number): void {
    const width = 40;
    const labels = Math.max(0, ...rows.map(({ label }) => label.length));
    const largest = Math.max(1, ...rows.map(({ value }) => value));
    for (const { label, value } of rows) {
      const bar = '█'.repeat(Math.round((value / largest) * width));
      const share = ((100 * value) / Math.max(1, total)).toFixed(1).padStart(5);
      const counts = `${String(value).padStart(4)}  ${share} %`;
      this.#line(`    ${label.padEnd(labels)}  ${this.style('green', bar.padEnd(width))} ${counts}`);
    }
  }

  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    for (const row of rows)
      this.#line(`    ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('   ')}`.trimEnd());
  }

  /** Shows that something is under way, then that it is done and how long it took. */
  async during<T>(text: string, work: Promise<T>): Promise<T> {
    const began = this.#now();
    const { isTTY, write } = this.#terminal;
    let frame = 0;
    const show = () => {
      const seconds = ((this.#now() - began) / 1000).toFixed(1);
      // A line that wraps could not be overwritten.
      const shown = text.slice(0, this.#terminal.columns - 16);
      write(`\r  ${this.style('yellow', SPINNER[frame++ % SPINNER.length] ?? '')} ${shown} … ${seconds} s\x1b[K`);
    };
    if (isTTY) show();
    const timer = isTTY ? setInterval(show, SPIN_MS) : undefined;
    try {
      const result = await work;
      this.#clear(timer);
      this.holds(`${text} (${formatMs(this.#now() - began)})`);
      return result;
    } catch (error) {
      this.#clear(timer);
      this.failed(text);
      throw error;
    }
  }

  #clear(timer: NodeJS.Timeout | undefined): void {
    if (timer === undefined) return;
    clearInterval(timer);
    this.#terminal.write('\r\x1b[K');
  }

  #line(text: string): void {
    this.#terminal.write(`${text}\n`);
  }
}

export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}
