import { expect, it } from 'vitest';
import { parseRuleset } from '../../../src/explain/ruleset.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { desiredFor } from '../support.ts';
import { describeGolden, type GoldenCase, rulesConfig } from './load.ts';

function chainOf(golden: GoldenCase, path: string) {
  const state = desiredFor(golden.services, golden.endpointSlices, rulesConfig(golden.config));
  const [table = '', chain = ''] = path.split('/');
  return parseRuleset(renderDesired(state.desired)).get(table)?.get(chain)?.rules ?? [];
}

describeGolden<GoldenCase & { expected: { chain: string; rules: string[] } }>(
  'a chain has exactly the golden rules',
  ['chain-'],
  (cases) => {
    for (const golden of cases) {
      it(golden.name, () => {
        const { chain, rules } = golden.expected;
        const prefix = `-A ${chain.split('/')[1]} `;
        expect(chainOf(golden, chain).map((rule) => prefix + rule.text)).toEqual(rules);
      });
    }
  },
);

interface ExistsCase extends GoldenCase {
  expected: { kind: string; chain: string; destination: string; exists: boolean };
}
describeGolden<ExistsCase>('load balancer addresses with ipMode Proxy get no rule', ['misc-01'], (cases) => {
  for (const golden of cases) {
    it(golden.name, () => {
      const { chain, destination, exists } = golden.expected;
      const found = chainOf(golden, chain).some(({ words }) => words[words.indexOf('-d') + 1] === destination);
      expect(found).toBe(exists);
    });
  }
});
