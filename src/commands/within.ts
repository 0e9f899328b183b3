import { type Clock, sleep } from '../clock.ts';

/** True once `work` has ended, false when it takes longer than `ms`. What it fails with goes to `onError`. */
export async function within(
  clock: Clock,
  ms: number,
  work: Promise<void>,
  onError: (error: unknown) => void,
): Promise<boolean> {
  const over = new AbortController();
  const ended = work.catch(onError).then(() => true);
  const inTime = await Promise.race([ended, sleep(clock, ms, over.signal).then(() => false)]);
  over.abort();
  return inTime;
}
