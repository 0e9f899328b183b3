import { describe, expect, it } from 'vitest';
import { computedRules } from '../../../src/embedded/demo/computed-rules.ts';
import { isRejected, serviceView } from '../../../src/embedded/demo/rules-view.ts';
import { planTopology } from '../../../src/embedded/hosts/topology.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { Service } from '../../../src/objects/service.ts';

const topology = planTopology([{ name: 'worker1', zone: 'zone-a' }]);
const [node] = topology.nodes;
if (!node) throw new Error('no node');

const service: Service = {
  metadata: { name: 'nginx-svc', namespace: 'default' },
  spec: {
    clusterIP: '10.96.0.50',
    clusterIPs: ['10.96.0.50'],
    ipFamilies: ['IPv4'],
    ports: [{ port: 3000, targetPort: 80, protocol: 'TCP' }],
  },
};
const slice = (...addresses: string[]): EndpointSlice => ({
  metadata: { name: 'nginx-svc-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'nginx-svc' } },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  ports: [{ name: '', port: 80, protocol: 'TCP' }],
});

describe('computedRules', () => {
  it('are in the form of iptables-save, with the probabilities of the kernel', () => {
    const text = computedRules(topology, node, {
      services: [service],
      slices: [slice('10.244.1.2', '10.244.1.3', '10.244.2.2')],
    });
    const { dispatch, balance, targets } = serviceView(text, 'default/nginx-svc');
    expect(dispatch).toBe(
      '-A KUBE-SERVICES -d 10.96.0.50/32 -p tcp -m comment --comment "default/nginx-svc cluster IP" -m tcp --dport 3000 -j KUBE-SVC-HL5LMXD5JFHQZ6LN',
    );
    expect(balance.flatMap((rule) => /--probability (\S+)/.exec(rule)?.[1] ?? [])).toEqual([
      '0.33333333349',
      '0.50000000000',
    ]);
    expect(balance[1]).toContain('-j KUBE-SEP-SADCJIHRQW7RJ62U');
    expect(targets).toEqual(['10.244.1.2:80', '10.244.1.3:80', '10.244.2.2:80']);
  });

  it('reject a Service without endpoints', () => {
    expect(isRejected(computedRules(topology, node, { services: [service], slices: [] }), 'default/nginx-svc')).toBe(
      true,
    );
  });
});
