/**
 * The reason with which `leavingSignal()` aborts: the person at the terminal, or a service manager, wants an orderly end, or
 * nobody reads our output any more.
 */
export class Leaving extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }

  /** Exit code of a process that a signal ended, as shells count them. */
  get exitCode(): number {
    return { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 }[this.signal as string] ?? 1;
  }
}

/** Aborts at the first SIGINT, SIGTERM or SIGHUP. A second one ends the process at once, as it would have without us. */
export function leavingSignal(): AbortSignal {
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => leaving.abort(new Leaving(signal)));
  }
  // Node ignores SIGPIPE; a closed pipe (`slicewise demo | head`) shows as an error of the stream.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    leaving.abort(new Leaving('SIGPIPE'));
  });
  return leaving.signal;
}
