import { expect, it } from 'vitest';
import { parseRuleset } from '../../../src/explain/ruleset.ts';
import { traceLikeUpstream } from '../../../src/explain/upstream-trace.ts';
import type { Protocol } from '../../../src/objects/meta.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { desiredFor } from '../support.ts';
import { describeGolden, type GoldenCase, kernelSave, rulesConfig } from './load.ts';

interface PacketFlow {
  name: string;
  sourceIP: string;
  protocol: Protocol | '';
  destIP: string;
  destPort: number;
  output: string;
  masq: boolean;
}

interface FlowCase extends GoldenCase {
  expected: { kind: string; localIPs: string[]; packetFlows: PacketFlow[] };
}

describeGolden<FlowCase>('each packet of the golden flows ends where upstream says', ['flow-'], (cases) => {
  for (const golden of cases) {
    const { packetFlows, localIPs } = golden.expected;
    const facts = { localAddresses: new Set(localIPs) };

    const trace = (restoreInput: string) => {
      const ruleset = parseRuleset(restoreInput);
      return packetFlows.map((flow) => {
        const packet = {
          source: flow.sourceIP,
          destination: flow.destIP,
          protocol: flow.protocol || ('TCP' as const),
          destinationPort: flow.destPort,
        };
        const { output, masquerade } = traceLikeUpstream(ruleset, packet, facts);
        return { name: flow.name, output, masq: masquerade };
      });
    };
    const expected = packetFlows.map(({ name, output, masq }) => ({ name, output, masq }));

    it(golden.name, () => {
      const state = desiredFor(golden.services, golden.endpointSlices, rulesConfig(golden.config));
      expect(trace(renderDesired(state.desired))).toEqual(expected);
    });

    const saved = kernelSave(golden.name);
    if (saved) {
      it(`${golden.name}, over what iptables-save printed`, () => expect(trace(saved)).toEqual(expected));
    }
  }
});
