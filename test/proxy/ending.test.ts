import { expect, test } from 'vitest';
import { Ending } from '../../src/proxy/ending.ts';
import { UserError } from '../../src/user-error.ts';

function setUp() {
  const signals = new Map<string, () => void>();
  return { ending: new Ending((signal, listener) => signals.set(signal, listener)), signals };
}

test.each(['SIGTERM', 'SIGINT'])('%s ends the run in order, and whatever is waited for gives way', async (signal) => {
  const { ending, signals } = setUp();
  const waiting = ending.unlessEnded(new Promise(() => {}));
  signals.get(signal)?.();
  await expect(ending.ended).resolves.toBeUndefined();
  await expect(waiting).resolves.toBeUndefined();
});

test('what comes before the end is handed on, failures too', async () => {
  const { ending } = setUp();
  await expect(ending.unlessEnded(Promise.resolve(7))).resolves.toBe(7);
  await expect(ending.unlessEnded(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('a reason to be started anew is an error in one line, for all who wait from then on', async () => {
  const { ending } = setUp();
  ending.fail("the node's podCIDRs changed");
  await expect(ending.ended).rejects.toThrow(new UserError("the node's podCIDRs changed"));
  await expect(ending.unlessEnded(new Promise(() => {}))).rejects.toThrow("the node's podCIDRs changed");
});
