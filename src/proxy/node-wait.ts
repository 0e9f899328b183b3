import type { NodeFacts } from './node.ts';

/** A proxier starts once its Node object says what it needs, and does not wait for ever. Instants are milliseconds of any one clock. */
export interface NodeWait {
  readonly waitingFor: 'addresses' | 'podCIDRs';
  readonly deadline: number;
}

export type NodeWaitStep =
  /** Ask again when the Node changes, or at the deadline. */
  | { readonly kind: 'wait'; readonly wait: NodeWait }
  /** Go on; `problem` is a line for the log. */
  | { readonly kind: 'ready'; readonly problem?: string }
  /** There is no going on without it. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface NodeWaitInput {
  readonly nodeName: string;
  /** `undefined` while there is no such Node. */
  readonly facts: NodeFacts | undefined;
  /** Mode NodeCIDR cannot work without them. */
  readonly needsPodCIDRs: boolean;
  readonly now: number;
}

const ADDRESSES_MS = 30_000;
/** Counted from when the wait for addresses ended. */
const POD_CIDRS_MS = 300_000;

export function startNodeWait(now: number): NodeWait {
  return { waitingFor: 'addresses', deadline: now + ADDRESSES_MS };
}

/** As kube-proxy 1.36: 30 s for addresses and then on without them; in mode NodeCIDR 5 min more for podCIDRs, and then failure. */
export function stepNodeWait(wait: NodeWait, input: NodeWaitInput): NodeWaitStep {
  const { nodeName, facts, needsPodCIDRs, now } = input;
  const late = now >= wait.deadline;
  if (wait.waitingFor === 'addresses') {
    if (!facts?.hostIPs.length && !late) return { kind: 'wait', wait };
    if (!needsPodCIDRs || facts?.podCIDRs.length) return ready(nodeName, facts);
    return { kind: 'wait', wait: { waitingFor: 'podCIDRs', deadline: now + POD_CIDRS_MS } };
  }
  if (facts?.podCIDRs.length) return ready(nodeName, facts);
  if (!late) return { kind: 'wait', wait };
  const what = facts
    ? `the Node ${JSON.stringify(nodeName)} to be given podCIDRs`
    : `a Node ${JSON.stringify(nodeName)} to exist`;
  return { kind: 'failed', reason: `timed out waiting for ${what}` };
}

function ready(nodeName: string, facts: NodeFacts | undefined): NodeWaitStep {
  if (facts?.hostIPs.length) return { kind: 'ready' };
  const what = facts
    ? `the Node ${JSON.stringify(nodeName)} to have addresses`
    : `a Node ${JSON.stringify(nodeName)} to exist`;
  return { kind: 'ready', problem: `timed out waiting for ${what}; going on without` };
}
