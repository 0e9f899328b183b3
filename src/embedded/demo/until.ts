import { setTimeout as delay } from 'node:timers/promises';
import { CheckFailed } from './check.ts';

export interface UntilOptions {
  /** For the message: what is waited for. */
  what: string;
  /** Milliseconds. @default 15000 */
  timeoutMs?: number;
  /** Milliseconds between two looks. @default 50 */
  everyMs?: number;
  signal?: AbortSignal;
}

/**
 * Looks again and again until `look` yields something but undefined.
 *
 * @throws CheckFailed naming what did not come, and the reason of the signal when aborted.
 */
export async function until<T>(options: UntilOptions, look: () => Promise<T | undefined>): Promise<T> {
  const { what, timeoutMs = 15_000, everyMs = 50, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new CheckFailed(`${what}: did not happen within ${timeoutMs / 1000} s`);
    await delay(everyMs, undefined, signal ? { signal } : {});
  }
}

/** Rejects with the reason once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Resolves once the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return aborted(signal).catch(() => undefined);
}
