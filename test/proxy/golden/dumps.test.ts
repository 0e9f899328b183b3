import { expect, it } from 'vitest';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { desiredFor } from '../support.ts';
import { canonical } from './canonical.ts';
import { describeGolden, type GoldenCase, rulesConfig } from './load.ts';

interface DumpCase extends GoldenCase {
  expected: {
    kind: string;
    iptablesRestore?: string;
    derivedIptablesRestore?: string;
    metrics?: Record<string, number>;
  };
}

describeGolden<DumpCase>(
  'the restore input of a whole cluster is the golden one, byte for byte in canonical form',
  ['full-', 'derived-', 'flow-', 'misc-01'],
  (cases) => {
    for (const golden of cases) {
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
  },
);
