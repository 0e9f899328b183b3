import { describe, expect, it } from 'vitest';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { desiredFor } from '../support.ts';
import { canonical } from './canonical.ts';
import { type GoldenCase, goldenCases, rulesConfig } from './load.ts';

interface DumpCase extends GoldenCase {
  expected: {
    kind: string;
    iptablesRestore?: string;
    derivedIptablesRestore?: string;
    metrics?: Record<string, number>;
  };
}

describe('the restore input of a whole cluster is the golden one, byte for byte in canonical form', () => {
  for (const golden of goldenCases<DumpCase>('full-', 'derived-', 'flow-', 'misc-01')) {
    it(golden.name, () => {
      const state = desiredFor(golden.services, golden.endpointSlices, rulesConfig(golden.config));
      const expected = golden.expected.iptablesRestore ?? golden.expected.derivedIptablesRestore ?? '';

      expect(canonical(renderDesired(state.desired))).toBe(canonical(expected));
      const { metrics } = golden.expected;
      if (metrics) {
        expect({
          filterRules: state.ruleCounts.filter,
          natRules: state.ruleCounts.nat,
          noLocalInternal: state.noLocalEndpoints.internal,
          noLocalExternal: state.noLocalEndpoints.external,
        }).toEqual(metrics);
      }
    });
  }
});
