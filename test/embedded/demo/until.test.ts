import { describe, expect, it } from 'vitest';
import { until, untilAborted } from '../../../src/embedded/demo/until.ts';

describe('until', () => {
  it('looks again until there is something', async () => {
    let looks = 0;
    expect(await until({ what: 'x', everyMs: 1 }, async () => (++looks === 3 ? 'found' : undefined))).toBe('found');
    expect(looks).toBe(3);
  });

  it('names what did not come', async () => {
    const never = until({ what: 'three Pods', timeoutMs: 5, everyMs: 1 }, async () => undefined);
    await expect(never).rejects.toThrow('three Pods: did not happen within 0.005 s');
  });

  it('ends with the reason of its signal', async () => {
    const leaving = new AbortController();
    const waiting = until({ what: 'x', everyMs: 60_000, signal: leaving.signal }, async () => undefined);
    leaving.abort(new Error('Ctrl-C'));
    await expect(waiting).rejects.toThrow();
    await untilAborted(leaving.signal);
    await expect(until({ what: 'x', signal: leaving.signal }, async () => 1)).rejects.toThrow('Ctrl-C');
  });
});
