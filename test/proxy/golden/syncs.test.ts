import { expect, it } from 'vitest';
import { applyRestore, parseRuleset, type Ruleset } from '../../../src/explain/ruleset.ts';
import type { KubeObject } from '../../../src/objects/meta.ts';
import { objectKey } from '../../../src/objects/meta.ts';
import { ChangeTracker } from '../../../src/proxy/change-tracker.ts';
import { isServiceChain } from '../../../src/proxy/iptables/chain-names.ts';
import { computeDesired, emptyDesired, rebuildDesired } from '../../../src/proxy/iptables/desired.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { desiredFor } from '../support.ts';
import { canonical } from './canonical.ts';
import { describeGolden, type GoldenCase, rulesConfig } from './load.ts';

interface SyncCase extends GoldenCase {
  step: string;
  fullSync: boolean;
  changedServices: string[];
  existingServiceNatChains: string[];
  expected: { kind: string; iptablesRestore: string; metrics: { nat_rules_total: number } };
}

/** Feeds the difference between two golden snapshots, as a reflector would deliver it. */
function deliver<T extends KubeObject>(before: T[], after: T[], on: (before?: T, after?: T) => void): void {
  const old = new Map(before.map((object) => [objectKey(object.metadata), object]));
  for (const object of after) {
    const key = objectKey(object.metadata);
    on(old.get(key), object);
    old.delete(key);
  }
  for (const object of old.values()) on(object, undefined);
}

/** Only what a comparison of two kernels needs: chain -> rules. */
function contents(ruleset: Ruleset) {
  return [...ruleset].map(([table, chains]) => [
    table,
    [...chains.values()].map((c) => [c.name, c.rules.map((r) => r.text)]).sort(),
  ]);
}

describeGolden<SyncCase>('nine syncs in a row, with kube-proxy’s partial restore', ['sync-'], (cases) => {
  const first = cases[0];
  if (!first) return;
  const config = rulesConfig(first.config);
  const tracker = new ChangeTracker({ ...config, startTime: 0 });
  let state = emptyDesired(config);
  let kernel: Ruleset = new Map();
  let last: Pick<SyncCase, 'services' | 'endpointSlices'> = { services: [], endpointSlices: [] };

  for (const golden of cases) {
    it(`${golden.name}: ${golden.step}`, () => {
      deliver(last.services, golden.services, (a, b) => tracker.onService(a, b));
      deliver(last.endpointSlices, golden.endpointSlices, (a, b) => tracker.onSlice(a, b));
      last = golden;
      const changes = tracker.take();
      const changed = new Set([...changes.services.keys(), ...changes.endpoints.keys()]);
      state = computeDesired(state, changes);
      if (golden.fullSync) state = rebuildDesired(state);
      else expect([...changed]).toEqual(golden.changedServices);

      const existing = [...(kernel.get('nat')?.keys() ?? [])].filter(isServiceChain).sort();
      expect(existing).toEqual(golden.existingServiceNatChains);
      const wanted = new Set([...state.desired.services.values()].flatMap((entry) => [...entry.chains.keys()]));
      const text = renderDesired(state.desired, {
        ...(golden.fullSync ? {} : { onlyServices: changed }),
        staleChains: existing.filter((chain) => !wanted.has(chain)),
      });
      expect(canonical(text)).toBe(canonical(golden.expected.iptablesRestore));
      expect(state.ruleCounts.nat).toBe(golden.expected.metrics.nat_rules_total);

      kernel = applyRestore(kernel, text);
      const scratch = desiredFor(golden.services, golden.endpointSlices, config);
      expect(contents(kernel)).toEqual(contents(parseRuleset(renderDesired(scratch.desired))));
    });
  }
});
