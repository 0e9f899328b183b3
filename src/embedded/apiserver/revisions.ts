import type { Registry } from './registry.ts';
import { StatusError } from './status.ts';

/** How long the real server waits for a revision that it has not seen yet. */
const waitMs = 3000;
const pollMs = 50;

/** Resolves once the store has reached `revision`. @throws StatusError 504 after 3 s */
export async function reachRevision(registry: Registry, revision: number): Promise<void> {
  const { clock, store } = registry;
  const deadline = clock.monotonic() + waitMs;
  while (store.revision < revision) {
    if (clock.monotonic() >= deadline) throw tooLarge(revision, store.revision);
    await new Promise<void>((resolve) => clock.setTimer(resolve, pollMs));
  }
}

function tooLarge(requested: number, current: number): StatusError {
  const message = `Timeout: Too large resource version: ${requested}, current: ${current}`;
  return new StatusError(504, 'Timeout', message, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
