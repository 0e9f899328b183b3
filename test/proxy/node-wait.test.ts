import { describe, expect, it } from 'vitest';
import type { NodeFacts } from '../../src/proxy/node.ts';
import { startNodeWait, stepNodeWait } from '../../src/proxy/node-wait.ts';

const nothing: NodeFacts = { hostIPs: [], podCIDRs: [], zone: '' };
const addressed: NodeFacts = { ...nothing, hostIPs: ['10.0.0.1'] };
const complete: NodeFacts = { ...addressed, podCIDRs: ['10.1.0.0/24'] };

/** Steps through (seconds, what the Node says) and gives what each step says. */
function wait(needsPodCIDRs: boolean, ...steps: [number, NodeFacts | undefined][]): string[] {
  let state = startNodeWait(0);
  return steps.map(([seconds, facts]) => {
    const step = stepNodeWait(state, { nodeName: 'n1', facts, needsPodCIDRs, now: seconds * 1_000 });
    if (step.kind === 'wait') state = step.wait;
    if (step.kind === 'wait') return `wait for ${state.waitingFor} until ${state.deadline / 1_000}`;
    return step.kind === 'failed' ? step.reason : (step.problem ?? 'ready');
  });
}

describe('waiting for the own Node', () => {
  it('ends as soon as it has an address', () => {
    expect(wait(false, [0, addressed])).toEqual(['ready']);
    expect(wait(false, [0, undefined], [5, nothing], [7, addressed])).toEqual([
      'wait for addresses until 30',
      'wait for addresses until 30',
      'ready',
    ]);
  });

  it('ends after 30 s without it, and says so', () => {
    expect(wait(false, [0, undefined], [30, undefined])[1]).toBe(
      'timed out waiting for a Node "n1" to exist; going on without',
    );
    expect(wait(false, [0, nothing], [31, nothing])[1]).toBe(
      'timed out waiting for the Node "n1" to have addresses; going on without',
    );
  });

  it('takes podCIDRs along when they are needed', () => {
    expect(wait(true, [0, complete])).toEqual(['ready']);
    expect(wait(true, [0, nothing], [10, addressed], [200, addressed], [309, complete])).toEqual([
      'wait for addresses until 30',
      'wait for podCIDRs until 310',
      'wait for podCIDRs until 310',
      'ready',
    ]);
  });

  it('fails without podCIDRs after five minutes more', () => {
    expect(wait(true, [10, addressed], [310, addressed])[1]).toBe(
      'timed out waiting for the Node "n1" to be given podCIDRs',
    );
    expect(wait(true, [30, undefined], [330, undefined])).toEqual([
      'wait for podCIDRs until 330',
      'timed out waiting for a Node "n1" to exist',
    ]);
  });

  it('goes on with podCIDRs but without addresses, and says so', () => {
    expect(wait(true, [0, nothing], [30, { ...nothing, podCIDRs: ['10.1.0.0/24'] }])[1]).toBe(
      'timed out waiting for the Node "n1" to have addresses; going on without',
    );
  });
});
