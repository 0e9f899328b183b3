import { expect, it } from 'vitest';
import type { KubeObject } from '../../../src/objects/meta.ts';
import { objectKey } from '../../../src/objects/meta.ts';
import { ChangeTracker } from '../../../src/proxy/change-tracker.ts';
import { planDelta } from '../../../src/proxy/iptables/delta.ts';
import { computeDesired, emptyDesired, rebuildDesired } from '../../../src/proxy/iptables/desired.ts';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import { planFull } from '../../../src/proxy/iptables/full-plan.ts';
import { nothingKnown } from '../../../src/proxy/iptables/kernel-scan.ts';
import { planSize, planText } from '../../../src/proxy/iptables/write-plan.ts';
import { describeGolden, type GoldenCase, kernelSave, rulesConfig } from './load.ts';

interface SyncCase extends GoldenCase {
  step: string;
  fullSync: boolean;
  expected: { kind: string; iptablesRestore: string };
}

function deliver<T extends KubeObject>(before: T[], after: T[], on: (before?: T, after?: T) => void): void {
  const old = new Map(before.map((object) => [objectKey(object.metadata), object]));
  for (const object of after) {
    const key = objectKey(object.metadata);
    on(old.get(key), object);
    old.delete(key);
  }
  for (const object of old.values()) on(object, undefined);
}

/** The kernel that printed the golden saves had no xt_nfacct. */
const withoutCounters = (text: Iterable<string>) => [...text].join('').replace(/ -m nfacct --nfacct-name \S+/g, '');

describeGolden<SyncCase>('nine syncs in a row, by deltas', ['sync-'], (cases) => {
  const first = cases[0];
  if (!first) return;
  const config = rulesConfig(first.config);
  const tracker = new ChangeTracker({ ...config, startTime: 0 });
  const kernel = new FakeIptables();
  let state = emptyDesired(config);
  let last: Pick<SyncCase, 'services' | 'endpointSlices'> = { services: [], endpointSlices: [] };

  for (const golden of cases) {
    it(`${golden.name} leaves the kernel as kube-proxy does: ${golden.step}`, async () => {
      deliver(last.services, golden.services, (a, b) => tracker.onService(a, b));
      deliver(last.endpointSlices, golden.endpointSlices, (a, b) => tracker.onSlice(a, b));
      const before = state;
      state = computeDesired(state, tracker.take());
      if (golden.fullSync) state = rebuildDesired(state);
      const plan =
        golden === first
          ? planFull(nothingKnown(state.desired), state.desired, 'IPv4', 'nft')
          : planDelta(before.desired, state.desired, 'nft');
      last = golden;
      await kernel.restore([withoutCounters(planText(plan))]);
      const saved = kernelSave(golden.name)?.replace(/^#.*\n/gm, '');
      expect(kernel.dump()).toBe(saved);

      const upstream = golden.expected.iptablesRestore.split('\n').filter((line) => line.startsWith('-')).length;
      const { rules } = planSize(plan);
      if (golden !== first) expect(rules.filter + rules.nat).toBeLessThan(upstream);
    });
  }
});
