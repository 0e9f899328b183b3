import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planService } from '../../src/endpointslice/planner.ts';
import { podChange } from '../../src/endpointslice/pod-changes.ts';
import { SelectorIndex } from '../../src/endpointslice/selector-index.ts';
import { servicesOfPodChange } from '../../src/endpointslice/triggers.ts';
import type { Pod } from '../../src/objects/pod.ts';
import { input, pod, service } from './support/build.ts';
import { allWrites, carryOut } from './support/carry-out.ts';

/** What may change about a Pod while it lives. */
const state = fc.record({
  labels: fc.constantFrom<Record<string, string>>({}, { app: 'web' }, { app: 'web', tier: 'x' }, { tier: 'x' }),
  ready: fc.boolean(),
  deleting: fc.boolean(),
  phase: fc.constantFrom('Pending', 'Running', 'Running', 'Failed', 'Succeeded', 'Unknown'),
  ips: fc.constantFrom<string[][]>([], ['10.0.0.1'], ['10.0.0.2'], ['10.0.0.1', 'fd00::1'], ['fd00::1'], ['127.0.0.1']),
  node: fc.constantFrom('', 'node-a', 'node-gone'),
  uid: fc.constantFrom('first', 'first', 'second'),
});

const SERVICES = [
  service({ name: 'web', selector: { app: 'web' }, ipFamilies: ['IPv4', 'IPv6'] }),
  service({ name: 'x', selector: { tier: 'x' } }),
  service({ name: 'both', selector: { app: 'web', tier: 'x' } }),
  service({ name: 'published', selector: { app: 'web' }, publishNotReadyAddresses: true }),
];

describe('a change of a Pod', () => {
  it('sets off every Service whose slices it changes', () => {
    fc.assert(
      fc.property(fc.option(state), fc.option(state), (from, to) => {
        const [before, after] = [from && pod('p', from), to && pod('p', to)].map((p) => p ?? undefined);
        const index = new SelectorIndex();
        for (const { metadata, spec } of SERVICES) index.setService('shop', metadata.name, spec.selector);
        const change = podChange(before, after, { watchPhase: true });
        const setOff = new Set(change ? servicesOfPodChange(index, change) : []);
        for (const of of SERVICES) {
          const slices = carryOut([], planService(input({ service: of, pods: selected(of, before) })));
          const writes = allWrites(planService(input({ service: of, pods: selected(of, after), slices })));
          if (writes.length > 0) expect(setOff).toContain(`shop/${of.metadata.name}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function selected({ spec }: (typeof SERVICES)[number], of: Pod | undefined): Pod[] {
  const matches = Object.entries(spec.selector ?? {}).every(([key, value]) => of?.metadata.labels?.[key] === value);
  return of && matches ? [of] : [];
}
