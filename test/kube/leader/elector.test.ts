import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/kube/errors.ts';
import { decide, released } from '../../../src/kube/leader/decision.ts';
import { LeaderElector } from '../../../src/kube/leader/elector.ts';
import { type Lease, type LeaseClient, microTime } from '../../../src/kube/leader/lease.ts';
import { leaseEvent } from '../../../src/kube/leader/lease-events.ts';
import { LEADER_ELECTION_DEFAULTS, validateLeaderElection } from '../../../src/kube/leader/options.ts';
import { writeGate } from '../../../src/kube/leader/write-gate.ts';
import { createLogger, type Logger, silentLogger } from '../../../src/observe/logger.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const options = (identity: string) => ({ identity, ...LEADER_ELECTION_DEFAULTS });

/** A Lease at a server, with a switch that cuts one replica off. */
class FakeLease {
  lease: Lease | undefined;
  #version = 0;
  readonly writes: string[] = [];
  /** Replicas that get no answer. */
  readonly cutOff = new Set<string>();
  /** Replicas whose calls take until then. */
  readonly slow = new Map<string, Promise<void>>();
  /** Replicas whose calls never end. */
  readonly deaf = new Set<string>();
  /** What replicas get instead of an answer. */
  readonly refuse = new Map<string, Error>();

  clientFor(replica: string): LeaseClient {
    const reach = (signal: AbortSignal): Promise<void> => {
      const refusal = this.refuse.get(replica);
      if (refusal) return Promise.reject(refusal);
      if (this.deaf.has(replica)) return new Promise(() => undefined);
      if (!this.cutOff.has(replica)) return this.slow.get(replica) ?? Promise.resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
    };
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

/** A clock whose wall time an administrator, or NTP, sets to something else. */
class SteppedClock extends FakeClock {
  stepMs = 0;

  override now(): number {
    return super.now() + this.stepMs;
  }
}

function replica(
  name: string,
  server: FakeLease,
  clock: FakeClock,
  { random = 0, logger = silentLogger }: { random?: number; logger?: Logger } = {},
) {
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
      onStoppedLeading: () => log.push('stopped'),
    },
    { leases: server.clientFor(name), clock, random: () => random, logger },
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
    expect(a.log.slice(-2)).toEqual(['stops at 14000', 'stopped']);
    expect(b.log).toEqual(['sees a', 'sees b', 'leads at 19000']);
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

describe('a leader in trouble', () => {
  it('stops at the renew deadline to the millisecond, however quickly its tries fail', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const a = replica('a', server, clock);
    await clock.advance(4000);
    server.refuse.set('a', new ApiError({ code: 'UNREACHABLE', message: 'connection refused' }));
    await clock.advance(9999);
    expect(a.elector.isLeader).toBe(true);
    await clock.advance(1);
    expect(a.elector.isLeader).toBe(false);
    expect(await a.ended).toBe('lost');
    expect(a.log.slice(-2)).toEqual(['stops at 14000', 'stopped']);
  });

  it('stops at the renew deadline though a call hangs that does not even hear of being given up', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const a = replica('a', server, clock);
    await clock.advance(4000);
    server.deaf.add('a');
    await clock.advance(10_000);
    expect(await a.ended).toBe('lost');
    expect(a.log.slice(-2)).toEqual(['stops at 14000', 'stopped']);
  });

  it('gives up a try that hangs early enough for another', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const a = replica('a', server, clock);
    await clock.advance(1000);
    server.cutOff.add('a');
    await clock.advance(1000 + 4000);
    server.cutOff.delete('a');
    await clock.advance(30_000);
    expect(a.elector.isLeader).toBe(true);
    a.stop.abort();
    await a.ended;
  });

  it('takes an answer that lay unread while the process was kept from running', async () => {
    const answer = Promise.withResolvers<void>();
    /** The answer is there when the time for it is found to be over, and would be read next. */
    class LateClock extends FakeClock {
      override setTimer(fn: () => void, ms: number) {
        const late = () => {
          setImmediate(() => answer.resolve());
          fn();
        };
        return super.setTimer(ms === 5000 ? late : fn, ms);
      }
    }
    const clock = new LateClock();
    const server = new FakeLease();
    const troubles: string[] = [];
    const logger = createLogger({ level: 'warn', onTrouble: (line) => troubles.push(line) });
    const a = replica('a', server, clock, { logger });
    await clock.advance(1000);
    server.slow.set('a', answer.promise);
    await clock.advance(6000);
    expect({ writes: server.writes.length, troubles }).toEqual({ writes: 2, troubles: [] });
    a.stop.abort();
    await a.ended;
  });

  it('says once what is wrong, with what to grant, and again when something else is', async () => {
    const clock = new FakeClock();
    const server = new FakeLease();
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const refusal =
      'leases.coordination.k8s.io is forbidden: User "u" cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "kube-system"';
    server.refuse.set('a', new ApiError({ code: 'FORBIDDEN', message: refusal }));
    const a = replica('a', server, clock, { logger: createLogger({ destination }) });
    await clock.advance(20_000);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        err: refusal,
        grant:
          '{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get"]} in a Role in namespace kube-system bound to u',
        msg: 'leader election: could not take or renew the lease',
      },
    ]);
    server.refuse.set('a', new ApiError({ code: 'UNREACHABLE', message: 'connection refused' }));
    await clock.advance(20_000);
    expect(lines).toHaveLength(2);
    a.stop.abort();
    await a.ended;
  });
});

describe('the wall clock', () => {
  const year = 365 * 24 * 3600 * 1000;

  it.each([year, -year])(
    'may jump by %i ms on a leader or on a waiting replica without any consequence',
    async (jump) => {
      const server = new FakeLease();
      const clock = new SteppedClock();
      const a = replica('a', server, clock);
      await settle();
      const b = replica('b', server, clock);
      await clock.advance(5000);
      clock.stepMs = jump;
      await clock.advance(60_000);
      expect([a.elector.isLeader, b.elector.isLeader]).toEqual([true, false]);
      expect(server.lease?.spec.leaseTransitions).toBe(0);
      for (const { stop, ended } of [b, a]) {
        stop.abort();
        await ended;
      }
    },
  );
});

describe('the time until somebody leads again', () => {
  it('is at most lease duration plus retry period from the death of a leader, and two never lead at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 30_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 1999 }),
        fc.boolean(),
        async (diesAt, random, startsAt, silently) => {
          const clock = new FakeClock();
          const server = new FakeLease();
          const a = replica('a', server, clock);
          await clock.advance(startsAt);
          const b = replica('b', server, clock, { random });
          await clock.advance(diesAt);
          if (silently) server.cutOff.add('a');
          else server.refuse.set('a', new Error('gone'));
          const died = clock.monotonic();
          while (!b.elector.isLeader && clock.monotonic() < died + 60_000) {
            await clock.advance(clock.nextTimerIn ?? 100);
            expect(a.elector.isLeader && b.elector.isLeader).toBe(false);
          }
          expect(clock.monotonic() - died).toBeLessThanOrEqual(15_000 + 2000);
          await a.ended;
          b.stop.abort();
          await b.ended;
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('what is told on the Lease', () => {
  it('is worded as by client-go', () => {
    const lease = { metadata: { name: 'l', uid: 'u', resourceVersion: '7' }, spec: {} };
    expect(leaseEvent(lease, { namespace: 'kube-system', name: 'l', identity: 'host_1' }, 'became leader')).toEqual({
      regarding: {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        namespace: 'kube-system',
        name: 'l',
        uid: 'u',
        resourceVersion: '7',
      },
      type: 'Normal',
      reason: 'LeaderElection',
      message: 'host_1 became leader',
    });
  });
});

describe('the gate in front of writes', () => {
  it('lets reads pass always, and writes while this replica leads', () => {
    let leads = false;
    const gate = writeGate(() => leads);
    gate({ method: 'GET', path: '/a' });
    expect(() => gate({ method: 'POST', path: '/a' })).toThrow(
      'POST /a was not sent: this replica does not hold the lease',
    );
    leads = true;
    gate({ method: 'POST', path: '/a' });
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
