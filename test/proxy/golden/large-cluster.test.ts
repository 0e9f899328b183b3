import { expect, it } from 'vitest';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import { ChangeTracker } from '../../../src/proxy/change-tracker.ts';
import {
  computeDesired,
  type DesiredState,
  emptyDesired,
  rebuildDesired,
} from '../../../src/proxy/iptables/desired.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { changedServicePorts } from '../../../src/proxy/iptables/rules.ts';
import { service, slice } from '../objects.ts';
import { describeGolden, type GoldenCase, rulesConfig } from './load.ts';

interface Step {
  do: string;
  expectLine?: string;
  expectContains?: string[];
  endpointDnatLines?: number;
  withComments?: number;
}

describeGolden<GoldenCase & { expected: { steps: Step[] } }>('large-cluster mode', ['misc-03'], (cases) => {
  for (const golden of cases) {
    it(golden.name, () => {
      const config = rulesConfig(golden.config);
      const tracker = new ChangeTracker({ ...config, startTime: 0 });
      const [full, grown, later, forced, added, kept, stale] = golden.expected.steps;
      let state = emptyDesired(config);

      add('ns1/svc1', '172.30.0.41', 80, numbered('10.0'));
      add('ns2/svc2', '172.30.0.42', 8080, numbered('10.1'));
      add('ns3/svc3', '172.30.0.43', 8081, []);
      check(full, sync());
      expect(state.largeCluster).toBe(false);

      tracker.onSlice(undefined, sliceOf('ns3/svc3', 8081, ['203.0.113.4', '203.0.113.8', '203.0.113.12'], 'b'));
      check(grown, sync());
      expect(state.largeCluster).toBe(true);

      expect(later?.do).toContain('last full sync');
      expect(sync()).toBe('');

      state = rebuildDesired(state);
      check(forced, renderDesired(state.desired));

      add('ns4/svc4', '172.30.0.44', 8082, ['10.4.0.1']);
      check(added, sync());

      const before = state;
      tracker.onService(serviceOf('ns4/svc4', '172.30.0.44', 8082), undefined);
      expect(kept?.do).toContain('delete ns4/svc4');
      expect(sync()).not.toMatch(/-X|DNAT/);

      const gone = [...before.desired.services.values()].find((entry) => entry.service === 'ns4/svc4')?.chains.keys();
      const text = renderDesired(state.desired, { onlyServices: new Set(), staleChains: gone ?? [] });
      for (const line of stale?.expectContains ?? []) expect(text.split('\n')).toContain(line);
      expect(stale?.expectContains).toHaveLength(2);

      /** What a partial sync writes of the Services that changed. */
      function sync(): string {
        const next = computeDesired(state, tracker.take());
        const text = changedLines(state, next);
        state = next;
        return text;
      }

      function add(key: string, clusterIP: string, port: number, ips: string[]): void {
        tracker.onService(undefined, serviceOf(key, clusterIP, port));
        tracker.onSlice(undefined, sliceOf(key, port, ips, 'a'));
      }
    });
  }
});

function check(step: Step | undefined, text: string): void {
  const dnat = text.split('\n').filter((line) => line.includes('-j DNAT'));
  expect(dnat).toContain(step?.expectLine);
  expect(dnat).toHaveLength(step?.endpointDnatLines ?? -1);
  if (step?.withComments !== undefined) {
    expect(dnat.filter((line) => line.includes('--comment'))).toHaveLength(step.withComments);
  }
}

function changedLines(before: DesiredState, after: DesiredState): string {
  return [...changedServicePorts(before.desired, after.desired)]
    .flatMap(({ after: entry }) => [...(entry?.chains ?? [])])
    .flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}\n`))
    .join('');
}

/** 499 addresses as the golden case describes them. */
function numbered(prefix: string): string[] {
  return Array.from({ length: 499 }, (_, i) => `${prefix}.${i % 256}.${Math.floor(i / 256)}`);
}

function serviceOf(key: string, clusterIP: string, port: number) {
  return service(key, { clusterIP, ports: [{ name: `p${port}`, protocol: 'TCP', port }] });
}

function sliceOf(key: string, port: number, ips: string[], suffix: string): EndpointSlice {
  return slice(key, `${key.split('/')[1]}-${suffix}`, ips, { ports: [{ name: `p${port}`, protocol: 'TCP', port }] });
}
