import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zoneShares } from '../../../src/endpointslice/hints/zone-shares.ts';
import type { PlanMemory } from '../../../src/endpointslice/plan.ts';
import { planService } from '../../../src/endpointslice/planner.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { Pod } from '../../../src/objects/pod.ts';
import { input, node, pod, service } from '../support/build.ts';
import { allWrites, carryOut } from '../support/carry-out.ts';

const auto = service({ annotations: { 'service.kubernetes.io/topology-mode': 'Auto' } });

describe('hints Auto while Pods come and go one by one', () => {
  it('settle in one sync, load no zone beyond its most, and leave none below its least', () => {
    const step = fc.record({
      id: fc.nat(30),
      at: fc.nat(9),
      gone: fc.integer({ min: 0, max: 9 }),
      ready: fc.integer({ min: 0, max: 9 }),
    });
    const cpu = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(cpu, fc.constantFrom(1, 3, 5, 100), fc.array(step, { maxLength: 40 }), (cpus, max, steps) => {
        const nodes = cpus.map((n, i) => node(`n${i}`, { zone: `z${i}`, cpu: `${n}` }));
        const shares = zoneShares(nodes);
        const pods = new Map<number, Pod>();
        let slices: EndpointSlice[] = [];
        let memory: PlanMemory | undefined;
        for (const { id, at, gone, ready } of steps) {
          if (gone < 4) pods.delete(id);
          else pods.set(id, pod(`p${id}`, { ip: `10.0.0.${id + 1}`, node: `n${at % nodes.length}`, ready: ready > 0 }));
          const plan = () =>
            planService(
              input({
                service: auto,
                nodes,
                shares,
                pods: [...pods.values()],
                slices,
                options: { maxEndpointsPerSlice: max },
                ...(memory ? { memory } : {}),
              }),
            );
          const first = plan();
          memory = first.memory;
          slices = carryOut(slices, first);
          expect(allWrites(plan())).toEqual([]);
          const outcome = memory.hints.IPv4;
          const zones = outcome && 'zones' in outcome ? outcome.zones : undefined;
          const hinted = slices
            .flatMap((s) => s.endpoints.map((e) => e.hints?.forZones?.[0]?.name))
            .filter((z) => z !== undefined);
          const total = [...pods.values()].filter((p) => p.status.conditions?.[0]?.status === 'True').length;
          expect(hinted).toHaveLength(zones ? total : 0);
          for (const [zone, share] of zones ? (shares ?? []) : []) {
            const count = hinted.filter((z) => z === zone).length;
            expect(count).toBe(zones?.get(zone));
            expect(count).toBeGreaterThanOrEqual(Math.ceil(share * total * (1 / 1.2)));
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
