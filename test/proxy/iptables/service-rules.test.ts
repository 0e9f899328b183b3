import { describe, expect, it } from 'vitest';
import { parseRuleset, type Ruleset } from '../../../src/explain/ruleset.ts';
import type { Endpoint } from '../../../src/objects/endpointslice.ts';
import type { Service } from '../../../src/objects/service.ts';
import { DEFAULT_FEATURE_GATES, type ProxyRulesConfig } from '../../../src/proxy/config-types.ts';
import { renderDesired } from '../../../src/proxy/iptables/render.ts';
import { service, slice } from '../objects.ts';
import { desiredFor } from '../support.ts';

const config: ProxyRulesConfig = {
  ipFamily: 'IPv4',
  nodeName: 'n1',
  nodeIP: '192.168.0.2',
  zone: '',
  masqueradeAll: false,
  masqueradeMark: '0x00004000',
  localDetector: { mode: 'ClusterCIDR', value: '10.244.0.0/16' },
  localhostNodePorts: true,
  nodePortAddresses: [],
  nodeAddresses: [],
  randomFully: true,
  conntrackTCPLiberal: false,
  nfacctCounters: { ctStateInvalidDropped: false, localhostNodePortsAccepted: false },
  featureGates: DEFAULT_FEATURE_GATES,
};

const here = { addresses: ['10.244.1.2'], nodeName: 'n1' };
const there = { addresses: ['10.244.2.2'], nodeName: 'n2' };
const elsewhere = { addresses: ['10.244.2.3'], nodeName: 'n2' };

function rulesOf(svc: Service, endpoints: Endpoint[], change: Partial<ProxyRulesConfig> = {}): Ruleset {
  const slices = [
    slice(`${svc.metadata.namespace}/${svc.metadata.name}`, 's', endpoints, { ports: [{ name: '', port: 80 }] }),
  ];
  return parseRuleset(renderDesired(desiredFor([svc], slices, { ...config, ...change }).desired));
}

/** The chains of a table that have rules, those of every cluster left out. */
function own(ruleset: Ruleset, table: 'nat' | 'filter') {
  const shared = ['KUBE-POSTROUTING', 'KUBE-MARK-MASQ', 'KUBE-FORWARD', 'KUBE-FIREWALL'];
  const chains = [...(ruleset.get(table)?.values() ?? [])].filter(
    ({ name, rules }) => rules.length > 0 && !shared.includes(name),
  );
  return Object.fromEntries(
    chains.map(({ name, rules }) => [
      name,
      rules.map((rule) => rule.text).filter((t) => !t.includes('must be the last')),
    ]),
  );
}

const nginx = (spec: Partial<Service['spec']> = {}) =>
  service('default/nginx-svc', { clusterIP: '10.96.0.10', ports: [{ port: 3000, targetPort: 80 }], ...spec });

describe('the rules of one Service', () => {
  it('are those that every kube-proxy tutorial shows', () => {
    expect(own(rulesOf(nginx(), [here, there, elsewhere]), 'nat')).toEqual({
      'KUBE-SERVICES': [
        '-m comment --comment "default/nginx-svc cluster IP" -m tcp -p tcp -d 10.96.0.10 --dport 3000 -j KUBE-SVC-HL5LMXD5JFHQZ6LN',
      ],
      'KUBE-SVC-HL5LMXD5JFHQZ6LN': [
        '-m comment --comment "default/nginx-svc cluster IP" -m tcp -p tcp -d 10.96.0.10 --dport 3000 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ',
        '-m comment --comment "default/nginx-svc -> 10.244.1.2:80" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-SADCJIHRQW7RJ62U',
        '-m comment --comment "default/nginx-svc -> 10.244.2.2:80" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-QX4RFH7MAHSLU35M',
        '-m comment --comment "default/nginx-svc -> 10.244.2.3:80" -j KUBE-SEP-ZXD3C5GBUWQNCJML',
      ],
      'KUBE-SEP-SADCJIHRQW7RJ62U': [
        '-m comment --comment default/nginx-svc -s 10.244.1.2 -j KUBE-MARK-MASQ',
        '-m comment --comment default/nginx-svc -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:80',
      ],
      'KUBE-SEP-QX4RFH7MAHSLU35M': expect.any(Array),
      'KUBE-SEP-ZXD3C5GBUWQNCJML': expect.any(Array),
    });
  });

  it('refuse connections at once when there is no endpoint', () => {
    const ruleset = rulesOf(nginx({ type: 'NodePort', ports: [{ port: 3000, nodePort: 30000 }] }), []);
    expect(own(ruleset, 'nat')).toEqual({ 'KUBE-SERVICES': [] });
    expect(own(ruleset, 'filter')).toEqual({
      'KUBE-SERVICES': [
        '-m comment --comment "default/nginx-svc has no endpoints" -m tcp -p tcp -d 10.96.0.10 --dport 3000 -j REJECT',
      ],
      'KUBE-EXTERNAL-SERVICES': [
        '-m comment --comment "default/nginx-svc has no endpoints" -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 30000 -j REJECT',
      ],
    });
  });

  it('drop what policy Local keeps from endpoints on other nodes', () => {
    const ruleset = rulesOf(nginx({ internalTrafficPolicy: 'Local' }), [there]);
    expect(own(ruleset, 'nat')).toEqual({ 'KUBE-SERVICES': [] });
    expect(own(ruleset, 'filter')).toEqual({
      'KUBE-SERVICES': [
        '-m comment --comment "default/nginx-svc has no local endpoints" -m tcp -p tcp -d 10.96.0.10 --dport 3000 -j DROP',
      ],
    });
  });

  it('masquerade nothing as coming from elsewhere when every address is of the cluster', () => {
    const everywhere = { localDetector: { mode: 'ClusterCIDR', value: '0.0.0.0/0' } } as const;
    const nat = own(
      rulesOf(nginx({ externalIPs: ['198.51.100.1'], externalTrafficPolicy: 'Local' }), [here], everywhere),
      'nat',
    );
    expect(nat['KUBE-SVC-HL5LMXD5JFHQZ6LN']?.[0]).not.toContain('KUBE-MARK-MASQ');
    expect(nat['KUBE-EXT-HL5LMXD5JFHQZ6LN']?.[0]).toContain('-s 0.0.0.0/0 -j KUBE-SVC-HL5LMXD5JFHQZ6LN');
  });

  it('remember clients with affinity, in every chain that picks an endpoint', () => {
    const nat = own(
      rulesOf(nginx({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }), [
        here,
      ]),
      'nat',
    );
    expect(nat['KUBE-SVC-HL5LMXD5JFHQZ6LN']?.[1]).toBe(
      '-m comment --comment "default/nginx-svc -> 10.244.1.2:80" -m recent --name KUBE-SEP-SADCJIHRQW7RJ62U --rcheck --seconds 60 --reap -j KUBE-SEP-SADCJIHRQW7RJ62U',
    );
    expect(nat['KUBE-SEP-SADCJIHRQW7RJ62U']?.[1]).toBe(
      '-m comment --comment default/nginx-svc -m recent --name KUBE-SEP-SADCJIHRQW7RJ62U --set -m tcp -p tcp -j DNAT --to-destination 10.244.1.2:80',
    );
  });

  it('leave external IPs out when their gate is off, but still see a Service that can be reached', () => {
    const svc = nginx({ externalIPs: ['198.51.100.1'], externalTrafficPolicy: 'Local' });
    const off = { featureGates: { ...DEFAULT_FEATURE_GATES, AllowServiceExternalIPs: false } };
    const [on, without] = [own(rulesOf(svc, [here]), 'nat'), own(rulesOf(svc, [here], off), 'nat')];
    expect([on['KUBE-SERVICES']?.length, without['KUBE-SERVICES']?.length]).toEqual([2, 1]);
    expect(Object.keys(without)).toContain('KUBE-EXT-HL5LMXD5JFHQZ6LN');
  });
});
