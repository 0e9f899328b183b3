import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dispatchDelta } from '../../../src/proxy/iptables/dispatch-delta.ts';
import type { ChainStep } from '../../../src/proxy/iptables/write-plan.ts';

/** What a chain holds after a step, by the rules of iptables. */
function chainAfter(rules: readonly string[], step: ChainStep | undefined): string[] {
  if (!step) return [...rules];
  if ('chain' in step) return [...step.rules];
  const result = [...rules];
  for (const edit of step.edits) {
    const [, verb, index, rule = ''] = /^-([ID]) C (?:(\d+) )?(.*)$/.exec(edit) ?? [];
    if (verb === 'I') {
      expect(Number(index)).toBeLessThanOrEqual(result.length + 1);
      result.splice(Number(index) - 1, 0, rule);
    } else {
      const at = result.indexOf(rule);
      expect(at, `${rule} is there to be deleted`).toBeGreaterThanOrEqual(0);
      result.splice(at, 1);
    }
  }
  return result;
}

// Twins and swapped rules on purpose.
const chains = fc.array(fc.constantFrom(...'abcdefghijkl'), { maxLength: 14 });

describe('the change of a chain that all Services share', () => {
  test('in one go it ends with the new rules, in their order', () => {
    fc.assert(
      fc.property(chains, chains, (old, now) => {
        expect(chainAfter(old, dispatchDelta('C', old, now)?.direct)).toEqual(now);
      }),
      { numRuns: 2000 },
    );
  });

  test('in two steps it holds all rules of both in between', () => {
    fc.assert(
      fc.property(chains, chains, (old, now) => {
        const change = dispatchDelta('C', old, now);
        const between = chainAfter(old, change?.adding);
        for (const rule of [...old, ...now]) expect(between).toContain(rule);
        if (change?.removing || change?.adding) expect(chainAfter(between, change.removing)).toEqual(now);
      }),
      { numRuns: 2000 },
    );
  });

  test('few changes are edits, insertions by position and deletions by text', () => {
    const many = Array.from({ length: 100 }, (_, i) => `r${i}`);
    const change = dispatchDelta('C', many, ['new', ...many.toSpliced(50, 1)]);
    expect(change?.direct).toEqual({ edits: ['-D C r50', '-I C 1 new'] });
    expect(change?.adding).toEqual({ edits: ['-I C 1 new'] });
    expect(change?.removing).toEqual({ edits: ['-D C r50'] });
  });

  test('many deletions write the chain whole', () => {
    const many = Array.from({ length: 500 }, (_, i) => `r${i}`);
    expect(dispatchDelta('C', many, many.slice(60))?.direct).toEqual({ chain: 'C', rules: many.slice(60) });
  });

  test('no change is nothing', () => {
    expect(dispatchDelta('C', ['a', 'b'], ['a', 'b'])).toBeUndefined();
  });
});
