import { describe, expect, it } from 'vitest';
import { setOomScore } from '../../src/proxy/oom-score.ts';

describe("the proxier's out-of-memory score", () => {
  it('is written to the kernel', () => {
    const writes: string[][] = [];
    expect(setOomScore(-999, (...write) => writes.push(write))).toBeUndefined();
    expect(writes).toEqual([['/proc/self/oom_score_adj', '-999']]);
  });

  it('that may not be set is a line for the log', () => {
    const refuse = () => {
      throw new Error('EACCES: permission denied');
    };
    expect(setOomScore(-999, refuse)).toBe('oom_score_adj could not be set to -999: EACCES: permission denied');
  });
});
