import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { danglingJumps, distribution, walkPacket } from '../../../src/explain/packet-walk.ts';
import type { Packet } from '../../../src/explain/rule-match.ts';
import { parseRuleset, printRuleset, type Ruleset, targetOf } from '../../../src/explain/ruleset.ts';
import { isServiceChain } from '../../../src/proxy/iptables/chain-names.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { type Cluster, clusters, PLAN } from '../arbitrary.ts';
import { verdictFor } from '../oracle.ts';
import { desiredFor, kernelFor } from '../support.ts';

/** One packet for each way into each Service port, from each kind of client. */
function packetsFor({ config, services, slices }: Cluster): Packet[] {
  const plan = PLAN[config.ipFamily];
  const outside = config.ipFamily === 'IPv4' ? '203.0.113.9' : '2001:db8:113::9';
  const endpoint = slices.flatMap((slice) => slice.endpoints)[0]?.addresses[0] ?? plan.pod(99);
  const clients = [
    { source: plan.pod(250), inInterface: 'veth1' },
    { source: endpoint, inInterface: 'veth2' },
    { source: outside, inInterface: 'eth0' },
    { source: plan.nodeIP },
  ];
  return services.flatMap(({ spec, status }) => {
    const vips = (status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip);
    const destinations = [spec.clusterIP ?? '', ...(spec.externalIPs ?? []), ...vips];
    return (spec.ports ?? []).flatMap(({ port, protocol = 'TCP', nodePort }) =>
      [...clients, ...vips.map((source) => ({ source, inInterface: 'eth0' }))].flatMap((client) => [
        ...destinations.map((destination) => ({ ...client, protocol, destination, destinationPort: port })),
        ...(nodePort ? [{ ...client, protocol, destination: plan.nodeIP, destinationPort: nodePort }] : []),
      ]),
    );
  });
}

describe.each(['IPv4', 'IPv6'] as const)('for any %s cluster', (family) => {
  it('a packet reaches exactly the endpoints that it should, each with the same chance', () => {
    fc.assert(
      fc.property(clusters(family), (cluster) => {
        const kernel = kernelFor(desiredFor(cluster.services, cluster.slices, cluster.config));
        const facts = { localAddresses: new Set([cluster.config.nodeIP ?? '']) };
        for (const packet of packetsFor(cluster)) {
          const expected = verdictFor(cluster, packet);
          const outcomes = walkPacket(kernel, packet, facts);
          const shares = distribution(outcomes);
          const reached = outcomes.filter((outcome) => outcome.translated);
          expect(outcomes.flatMap((outcome) => outcome.undecided)).toEqual([]);
          if (expected.endpoints.length === 0) {
            expect(reached).toEqual([]);
            const [verdict] = [...shares.keys()];
            if (expected.otherwise === 'ignored') expect(['REJECT', 'DROP']).not.toContain(verdict);
            else expect(verdict).toBe(expected.otherwise);
            continue;
          }
          expect([...shares.keys()].sort()).toEqual(expected.endpoints.sort());
          for (const share of shares.values()) expect(share).toBeCloseTo(1 / expected.endpoints.length, 8);
          for (const { masqueraded, destination } of reached) {
            expect(masqueraded).toBe(expected.masquerade || destination === packet.source);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('every jump has its chain, no chain is an orphan, and names have at most 28 characters', () => {
    fc.assert(
      fc.property(clusters(family), ({ services, slices, config }) => {
        const ruleset = parseRuleset(renderDesired(desiredFor(services, slices, config).desired));
        expect(danglingJumps(ruleset)).toEqual([]);
        expect(orphans(ruleset)).toEqual([]);
        for (const table of ruleset.values())
          for (const name of table.keys()) expect(name.length).toBeLessThanOrEqual(28);
      }),
    );
  });

  it('the restore input survives being read and printed', () => {
    fc.assert(
      fc.property(clusters(family), ({ services, slices, config }) => {
        const ruleset = parseRuleset(renderDesired(desiredFor(services, slices, config).desired));
        expect(parseRuleset(printRuleset(ruleset))).toEqual(ruleset);
      }),
    );
  });
});

/** Service chains that no other chain of the table jumps to. */
function orphans(ruleset: Ruleset): string[] {
  const nat = ruleset.get('nat');
  const targets = new Set([...(nat?.values() ?? [])].flatMap((chain) => chain.rules.map(targetOf)));
  return [...(nat?.keys() ?? [])].filter((name) => isServiceChain(name) && !targets.has(name));
}
