import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/kube/errors.ts';
import { decide, released } from '../../../src/kube/leader/decision.ts';
import { LeaderElector } from '../../../src/kube/leader/elector.ts';
import { type Lease, type LeaseClient, microTime } from '../../../src/kube/leader/lease.ts';
import { LEADER_ELECTION_DEFAULTS, validateLeaderElection } from '../../../src/kube/leader/options.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const options = (identity: string) => ({ identity, ...LEADER_ELECTION_DEFAULTS });

/** A Lease at a server, with a switch that cuts one replica off. */
class FakeLease {
  lease: Lease | undefined;
  #version = 0;
  readonly writes: string[] = [];
  readonly cutOff = new Set<string>();

  clientFor(replica: string): LeaseClient {
    const reach = (signal: AbortSignal): Promise<void> =>
      this.cutOff.has(replica)
        ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))))
        : Promise.resolve();
    const store = (spec: Lease['spec'], verb: string): Lease => {
      this.writes.push(`${replica} ${verb} ${spec.holderIdentity}`);
      this.lease = { metadata: { name: 'l', resourceVersion: String(++this.#version) }, spec };
      return this.lease;
    };
    return {
      get: async (signal) => {
        await reach(signal);
        if (!this.lease) throw new ApiError({ code: 'NOT_FOUND', message: 'no lease' });
        return this.lease;
      },
      create: async (spec, signal) => {
        await reach(signal);
        if (this.lease) throw new ApiError({ code: 'ALREADY_EXISTS', message: 'there is one' });
        return store(spec, 'create');
      },
      update: async (current, spec, signal) => {
        await reach(signal);
        if (!this.lease) throw new ApiError({ code: 'NOT_FOUND', message: 'no lease' });
        if (this.lease.metadata.resourceVersion !== current.metadata.resourceVersion) {
          throw new ApiError({ code: 'CONFLICT', message: 'changed' });
        }
        return store(spec, 'update');
      },
    };
  }
}

function replica(name: string, server: FakeLease, clock: FakeClock) {
  const stop = new AbortController();
  const log: string[] = [];
  const elector = new LeaderElector(
    options(name),
    {
      onStartedLeading: (lost) => {
        log.push(`leads at ${clock.monotonic()}`);
        lost.addEventListener('abort', () => log.push(`stops at ${clock.monotonic()}`));
      },
      onNewLeader: (leader) => log.push(`sees ${leader}`),
    },
    { leases: server.clientFor(name), clock, random: () => 0, logger: silentLogger },
  );
  return { elector, stop, log, ended: elector.run(stop.signal) };
}

describe('the decision about a lease', () => {
  const seen = (spec: Lease['spec'], changedAt = 0) => ({ lease: { metadata: { name: 'l' }, spec }, changedAt });
  const at = (monotonic: number) => ({ monotonic, now: 0 });

  it('creates one where there is none', () => {
    const decision = decide(undefined, at(0), options('a'));
    expect(decision).toMatchObject({
      kind: 'create',
      spec: { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 },
    });
  });

  it('waits for a holder until the lease duration has passed on our own clock, whatever the times in the record say', () => {
    const other = seen({ holderIdentity: 'b', renewTime: '1999-01-01T00:00:00.000000Z', leaseDurationSeconds: 1 });
    expect(decide(other, at(14_999), options('a'))).toEqual({ kind: 'wait', holder: 'b' });
    expect(decide(other, at(15_000), options('a'))).toMatchObject({ kind: 'update', spec: { leaseTransitions: 1 } });
  });

  it('takes a released lease at once', () => {
    const free = seen(released({ holderIdentity: 'b', leaseTransitions: 4 }, 0));
    expect(decide(free, at(1), options('a'))).toMatchObject({
      kind: 'update',
      spec: { holderIdentity: 'a', leaseTransitions: 5 },
    });
  });

  it('renews its own without a transition and keeps the time of acquisition', () => {
    const own = seen({ holderIdentity: 'a', acquireTime: 'then', leaseTransitions: 3 });
    expect(decide(own, at(1), options('a'))).toMatchObject({
      kind: 'update',
      spec: { acquireTime: 'then', leaseTransitions: 3, renewTime: microTime(0) },
    });
  });
});

describe('the leader elector', () => {
  it('elects exactly one of two, and the other follows after a kill within lease duration and retry period', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const a = replica('a', server, clock);
    await settle();
    const b = replica('b', server, clock);
    await clock.advance(5000);
    expect([a.elector.isLeader, b.elector.isLeader]).toEqual([true, false]);
    expect(b.log).toEqual(['sees a']);

    server.cutOff.add('a');
    let overlap = false;
    for (let i = 0; i < 400 && !b.elector.isLeader; i++) {
      await clock.advance(50);
      overlap ||= a.elector.isLeader && b.elector.isLeader;
    }
    expect(overlap).toBe(false);
    expect(a.log.at(-1)).toBe('stops at 14000');
    expect(b.log).toEqual(['sees a', 'sees b', 'leads at 20000']);
    expect(await a.ended).toBe('lost');
    b.stop.abort();
    await b.ended;
  });

  it('hands the lease back on a stop, after the in-flight work, so that the next one leads at its next try', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const a = replica('a', server, clock);
    await settle();
    const b = replica('b', server, clock);
    await settle();
    a.stop.abort();
    expect(await a.ended).toBe('stopped');
    expect(server.writes.at(-1)).toBe('a update ');
    await clock.advance(2000);
    expect(b.elector.isLeader).toBe(true);
    b.stop.abort();
    await b.ended;
  });

  it('steps down when another has taken the lease, as after a long pause of the process', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const a = replica('a', server, clock);
    await settle();
    await server.clientFor('b').update(server.lease as Lease, { holderIdentity: 'b' }, new AbortController().signal);
    await clock.advance(2000);
    expect(await a.ended).toBe('lost');
    expect(a.log).toContain('stops at 2000');
  });

  it('keeps leading when its lease was deleted by hand: it makes a new one', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const a = replica('a', server, clock);
    await settle();
    server.lease = undefined;
    await clock.advance(2000);
    expect(a.elector.isLeader).toBe(true);
    expect(server.writes).toEqual(['a create a', 'a create a']);
    a.stop.abort();
    await a.ended;
  });
});

describe('the options of leader election', () => {
  it.each([
    [
      { leaseDurationMs: 10_000, renewDeadlineMs: 10_000 },
      /--leader-elect-lease-duration 10s must be longer than --leader-elect-renew-deadline 10s/,
    ],
    [
      { renewDeadlineMs: 2400, retryPeriodMs: 2000 },
      /--leader-elect-renew-deadline 2.4s must be longer than 1.2 times/,
    ],
    [{ retryPeriodMs: 0 }, /--leader-elect-retry-period: 0s/],
  ])('%o is refused', (change, message) => {
    expect(() => validateLeaderElection({ ...options('a'), ...change })).toThrow(message);
  });
});
