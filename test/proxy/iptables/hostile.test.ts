import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRule } from '../../../src/explain/rule-match.ts';
import { parseRuleset, type Rule } from '../../../src/explain/ruleset.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { Service } from '../../../src/objects/service.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { type Cluster, clusters } from '../arbitrary.ts';
import { desiredFor } from '../support.ts';

/** Text that would end a word, a comment, a line or a table if it were written as it is. */
const nasty = fc.oneof(
  fc.constantFrom(
    'a b',
    'a"b',
    'a\\',
    "a'b",
    'a\nCOMMIT',
    'a\n-A INPUT -j DROP',
    'a\r\n*raw',
    '-j',
    '! -s 0.0.0.0/0',
    '',
    ' ',
    '\0',
    '10.0.0.1 -j ACCEPT',
    '10.0.0.1\n',
    '10.0.0.0/8 -j ACCEPT',
    '::1"',
    '$x',
    '$(x)',
    '\u202ea',
    'a/b',
    'a:b',
    '#a',
    '*nat',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
);
const oddNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-1, 0, 65536, 80.5, Number.NaN, Infinity));

type Spoil = (service: Service, slice: EndpointSlice, text: string, number: number) => void;

const SPOILS: Spoil[] = [
  (service, slice, text) => {
    service.metadata.name = text;
    slice.metadata.labels = { 'kubernetes.io/service-name': text };
  },
  (service, slice, text) => {
    service.metadata.namespace = text;
    slice.metadata.namespace = text;
  },
  ({ spec }, { ports }, text) => {
    Object.assign(spec.ports?.[0] ?? {}, { name: text });
    Object.assign(ports[0] ?? {}, { name: text });
  },
  ({ spec }, { ports }, text) => {
    Object.assign(spec.ports?.[0] ?? {}, { protocol: text });
    Object.assign(ports[0] ?? {}, { protocol: text });
  },
  ({ spec }, { ports }, _, number) => {
    Object.assign(spec.ports?.[0] ?? {}, { port: number });
    Object.assign(ports[0] ?? {}, { port: number });
  },
  ({ spec }, _, text) => Object.assign(spec, { clusterIP: text }),
  ({ spec }, _, text) => Object.assign(spec, { externalIPs: [text] }),
  (service, _, text) => Object.assign(service, { status: { loadBalancer: { ingress: [{ ip: text }] } } }),
  ({ spec }, _, text) => Object.assign(spec, { loadBalancerSourceRanges: [text, `${text}/8`, '203.0.113.0/24'] }),
  (_, { endpoints }, text) => Object.assign(endpoints[0] ?? {}, { addresses: [text] }),
  ({ spec }, _, text) => Object.assign(spec.ports?.[0] ?? {}, { port: text, nodePort: text }),
  ({ spec }, _, __, number) => Object.assign(spec.ports?.[0] ?? {}, { nodePort: number }),
  ({ spec }, _, text, number) => Object.assign(spec, { healthCheckNodePort: number > 0 ? number : text }),
  ({ spec }, _, text, number) =>
    Object.assign(spec, {
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: number > 0 ? number : text } },
    }),
];

const FLAGS = new Set([
  '-m',
  '--comment',
  '-p',
  '-s',
  '-d',
  '--dport',
  '-i',
  '--dst-type',
  '--src-type',
  '--ctstate',
  '--mark',
  '--nfacct-name',
  '--mode',
  '--probability',
  '--name',
  '--rcheck',
  '--set',
  '--seconds',
  '--reap',
]);
const TARGETS = /^(KUBE-[A-Z-]+(-[A-Z2-7]{16})?|ACCEPT|DROP|REJECT|DNAT|MARK|MASQUERADE|RETURN)$/;

function check(restoreInput: string): void {
  for (const line of restoreInput.split('\n')) {
    expect(line).toMatch(/^(\*(filter|nat)|:KUBE-[A-Z0-9-]+ - \[0:0\]|-A KUBE-[A-Z0-9-]+ [ -~]+|COMMIT|)$/);
  }
  const ruleset = parseRuleset(restoreInput);
  expect([...ruleset.keys()]).toEqual(['filter', 'nat']);
  for (const table of ruleset.values()) for (const { rules } of table.values()) rules.forEach(checkRule);
}

function checkRule(rule: Rule): void {
  const { matches, target } = decodeRule(rule);
  expect(matches.filter(({ flag }) => !FLAGS.has(flag))).toEqual([]);
  for (const { flag, value } of matches) {
    if (flag === '--comment') expect(Buffer.byteLength(value)).toBeLessThan(256);
    else expect(value).not.toContain(' ');
  }
  if (target) expect(target.name).toMatch(TARGETS);
}

describe('hostile objects', () => {
  it('never add a line or a word to the restore input', () => {
    fc.assert(
      fc.property(
        clusters('IPv4'),
        fc.array(fc.tuple(fc.nat(SPOILS.length - 1), nasty, oddNumber), { minLength: 1, maxLength: 3 }),
        (cluster, spoils) => {
          const { services, slices, config }: Cluster = structuredClone(cluster);
          const [service] = services;
          const [slice] = slices;
          if (!service || !slice) return;
          for (const [which, text, number] of spoils) SPOILS[which]?.(service, slice, text, number);
          check(renderDesired(desiredFor(services, slices, config).desired));
        },
      ),
      { numRuns: 600 },
    );
  });

  it('do not keep other Services from their rules', () => {
    fc.assert(
      fc.property(clusters('IPv4'), nasty, (cluster, text) => {
        const { services, slices, config } = cluster;
        const bad: Service = {
          metadata: { namespace: 'ns0', name: `x ${text}` },
          spec: { clusterIP: '172.30.9.9', ports: [{ port: 80 }] },
        };
        const good = desiredFor(services, slices, config);
        expect(desiredFor([...services, bad], slices, config).desired).toEqual(good.desired);
      }),
    );
  });
});
