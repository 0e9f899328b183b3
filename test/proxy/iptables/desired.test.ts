import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { IPFamily, KubeObject } from '../../../src/objects/meta.ts';
import { objectKey } from '../../../src/objects/meta.ts';
import type { Service } from '../../../src/objects/service.ts';
import { ChangeTracker } from '../../../src/proxy/change-tracker.ts';
import {
  computeDesired,
  type DesiredChanges,
  type DesiredState,
  emptyDesired,
  rebuildDesired,
} from '../../../src/proxy/iptables/desired.ts';
import { changedServicePorts } from '../../../src/proxy/iptables/rules.ts';
import { configs, PLAN, serviceOf, sliceOf } from '../arbitrary.ts';
import { service, slice } from '../objects.ts';
import { desiredFor } from '../support.ts';

const NOTHING: DesiredChanges = { services: new Map(), endpoints: new Map() };

type Step =
  | { kind: 'service'; index: number; object: Service | undefined }
  | { kind: 'slice'; index: number; part: number; object: EndpointSlice | undefined }
  | { kind: 'sync'; fails: boolean };

function steps(family: IPFamily): fc.Arbitrary<Step[]> {
  const index = fc.nat(3);
  const serviceStep = index.chain((i) =>
    fc.option(serviceOf(i, family), { nil: undefined }).map((object): Step => ({ kind: 'service', index: i, object })),
  );
  const sliceStep = fc
    .tuple(index, fc.nat(1))
    .chain(([i, part]) =>
      fc
        .option(sliceOf(i, part, family), { nil: undefined })
        .map((object): Step => ({ kind: 'slice', index: i, part, object })),
    );
  const sync = fc.boolean().map((fails): Step => ({ kind: 'sync', fails }));
  return fc.array(fc.oneof(serviceStep, sliceStep, sync), { maxLength: 30 });
}

/** What remains to be compared: everything but the config and the inner order of nothing. */
function summary({ desired, ruleCounts, noLocalEndpoints, endpointCount, largeCluster }: DesiredState) {
  return {
    static: desired.static,
    services: [...desired.services],
    ruleCounts,
    noLocalEndpoints,
    endpointCount,
    largeCluster,
  };
}

class World {
  readonly objects = new Map<string, KubeObject>();

  replace<T extends KubeObject>(key: string, next: T | undefined): T | undefined {
    const before = this.objects.get(key) as T | undefined;
    if (next) this.objects.set(key, next);
    else this.objects.delete(key);
    return before;
  }

  of<T extends KubeObject>(kind: string): T[] {
    return [...this.objects].filter(([key]) => key.startsWith(kind)).map(([, object]) => object as T);
  }
}

describe.each(['IPv4', 'IPv6'] as const)('the desired rules of %s', (family) => {
  it('after any changes, in any number of syncs, some of them failed, are those computed from scratch', () => {
    fc.assert(
      fc.property(configs(family), steps(family), (config, script) => {
        const world = new World();
        const tracker = new ChangeTracker({ ...config, startTime: 0 });
        let state = emptyDesired(config);
        for (const step of [...script, { kind: 'sync', fails: false } as const]) {
          if (step.kind === 'service') {
            const before = world.replace<Service>(`service ${step.index}`, step.object);
            if (before || step.object) tracker.onService(before, step.object);
          } else if (step.kind === 'slice') {
            const before = world.replace<EndpointSlice>(`slice ${step.index} ${step.part}`, step.object);
            if (before || step.object) tracker.onSlice(before, step.object);
          } else {
            const changes = tracker.take();
            const next = computeDesired(state, changes);
            // A sync that fails may forget the state it computed, or keep it: putting the changes back suits both.
            if (step.fails) tracker.putBack(changes);
            if (!step.fails || changes.services.size % 2 === 0) state = next;
            if (step.fails) continue;
            const scratch = desiredFor(world.of<Service>('service'), world.of<EndpointSlice>('slice'), config);
            expect(summary(state)).toEqual(summary(scratch));
            expect(rebuildDesired(state).desired.services).toBe(state.desired.services);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('follow a changed config everywhere', () => {
    fc.assert(
      fc.property(
        configs(family),
        configs(family),
        serviceOf(0, family),
        sliceOf(0, 0, family),
        (a, b, svc, endpoints) => {
          const changed = computeDesired(desiredFor([svc], [endpoints], a), NOTHING, b);
          expect(summary(changed)).toEqual(summary(desiredFor([svc], [endpoints], b)));
        },
      ),
    );
  });
});

describe('an incremental state', () => {
  const config = fc.sample(configs('IPv4'), { numRuns: 1, seed: 1 })[0];
  const keys = Array.from({ length: 300 }, (_, i) => `ns/svc${i}`);
  const services = keys.map((key, i) => service(key, { clusterIP: PLAN.IPv4.clusterIP(i % 250) }));
  const slices = keys.map((key, i) => slice(key, `s${i}`, [`10.1.${i % 250}.1`, `10.1.${i % 250}.2`]));
  const before = desiredFor(services, slices, config ?? expect.fail('no config'));

  const change = (key: string, ...ips: string[]): DesiredChanges => {
    const tracker = new ChangeTracker({ ...before.config, startTime: 0 });
    const i = keys.indexOf(key);
    tracker.onSlice(undefined, slices[i]);
    tracker.take();
    tracker.onSlice(slices[i], slice(key, `s${i}`, ips));
    return tracker.take();
  };

  it('shares every entry but the one that changed', () => {
    const after = computeDesired(before, change('ns/svc7', '10.1.7.1', '10.1.7.3'));
    const changed = [...changedServicePorts(before.desired, after.desired)];
    expect(changed.map((c) => c.key)).toEqual(['ns/svc7:p80/TCP']);
    expect(changed[0]?.before?.chains.size).toBe(3);
    const others = [...after.desired.services].filter(([name]) => name !== 'ns/svc7:p80/TCP');
    expect(others.every(([name, entry]) => entry === before.desired.services.get(name))).toBe(true);
    expect(after.desired.static).toBe(before.desired.static);
  });

  it('is unchanged by a change that leads to the same rules', () => {
    const after = computeDesired(before, change('ns/svc7', '10.1.7.2', '10.1.7.1'));
    expect(after.desired.services).toBe(before.desired.services);
  });

  it('rewrites only static rules when the node’s addresses change', () => {
    const restricted = { ...before.config, nodePortAddresses: ['192.168.0.0/16'], nodeAddresses: ['192.168.0.2'] };
    const one = computeDesired(before, NOTHING, restricted);
    const two = computeDesired(one, NOTHING, { ...restricted, nodeAddresses: ['192.168.0.2', '192.168.0.3'] });
    expect(two.desired.services).toBe(before.desired.services);
    expect(two.desired.static.servicesTail).toHaveLength(2);
    expect(two.ruleCounts.nat).toBe(one.ruleCounts.nat + 1);
  });

  it('does not count endpoints for which no Service exists', () => {
    const orphan = slice('ns/none', 'x', ['10.9.9.9']);
    expect(desiredFor(services, [...slices, orphan], before.config).endpointCount).toBe(600);
    expect(desiredFor([], slices, before.config).endpointCount).toBe(0);
  });

  it('has rules at once when the Service comes after its endpoints', () => {
    const [svc] = services;
    const first = desiredFor([], slices, before.config);
    const tracker = new ChangeTracker({ ...before.config, startTime: 0 });
    tracker.onService(undefined, svc);
    const after = computeDesired(first, tracker.take());
    expect(
      after.desired.services.get([...after.desired.services.keys()][0] ?? expect.fail('no rules'))?.chains.size,
    ).toBe(3);
    expect(after.endpointCount).toBe(2);
    expect(svc && objectKey(svc.metadata)).toBe('ns/svc0');
  });
});
