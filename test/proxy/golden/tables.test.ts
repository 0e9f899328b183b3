import { expect, it } from 'vitest';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { Service } from '../../../src/objects/service.ts';
import { categorizeEndpoints } from '../../../src/proxy/categorize.ts';
import type { ProxyEndpoint } from '../../../src/proxy/endpoints.ts';
import { probability } from '../../../src/proxy/iptables/endpoint-rules.ts';
import { desiredFor } from '../support.ts';
import { describeGolden, type GoldenCase, rulesConfig } from './load.ts';

interface TableCase<Row> extends GoldenCase {
  expected: { kind: string; rows: Row[] };
}

interface CountRow {
  name: string;
  services: number;
  endpointsPerService: number;
  type: 'ClusterIP' | 'LoadBalancer';
  filterRules: number;
  natRules: number;
}
describeGolden<TableCase<CountRow>>('the number of rules grows as upstream counts it', ['table-01'], (cases) => {
  for (const golden of cases) {
    for (const row of golden.expected.rows) {
      it(row.name, () => {
        const names = Array.from({ length: row.services }, (_, i) => `svc${i}`);
        const services = names.map((name, i) => numberedService(name, i, row.services, row.type));
        const slices = names.map((name) => numberedSlice(name, row.endpointsPerService));
        const state = desiredFor(services, slices, rulesConfig(golden.config));
        expect(state.ruleCounts).toEqual({ filter: row.filterRules, nat: row.natRules });
      });
    }
  }
});

interface CategoryRow {
  name: string;
  preferSameTrafficDistribution: boolean;
  nodeName: string;
  topologyLabels: Record<string, string>;
  service: { internalPolicyLocal: boolean; externalPolicyLocal: boolean; nodePort: number };
  endpoints: (Omit<ProxyEndpoint, 'ip' | 'port' | 'address'> & { endpoint: string })[] | null;
  expected: {
    clusterEndpoints: string[] | null;
    localEndpoints: string[] | null;
    allReachableEndpoints: string[] | null;
    hasAnyEndpoints: boolean;
  };
}
describeGolden<TableCase<CategoryRow>>('endpoints are categorised as upstream does', ['table-02'], (cases) => {
  for (const golden of cases) {
    for (const row of golden.expected.rows) {
      it(row.name, () => {
        const endpoints = (row.endpoints ?? []).map(({ endpoint, ...rest }) => {
          const [ip = '', port] = endpoint.split(':');
          return { ...rest, ip, port: Number(port), address: endpoint };
        });
        const found = categorizeEndpoints({ ...row.service, loadBalancerVIPs: [], externalIPs: [] }, endpoints, {
          nodeName: row.nodeName,
          zone: row.topologyLabels['topology.kubernetes.io/zone'] ?? '',
          featureGates: { PreferSameTrafficDistribution: row.preferSameTrafficDistribution },
        });
        const addresses = (list: readonly ProxyEndpoint[]) => list.map((e) => e.address);
        expect({
          cluster: addresses(found.cluster),
          local: addresses(found.local),
          all: addresses(found.allReachable),
          hasAny: found.hasAny,
        }).toEqual({
          cluster: row.expected.clusterEndpoints ?? [],
          local: row.expected.localEndpoints ?? [],
          all: row.expected.allReachableEndpoints ?? [],
          hasAny: row.expected.hasAnyEndpoints,
        });
      });
    }
  }
});

describeGolden<GoldenCase & { expected: { rows: Record<string, string> } }>(
  'probabilities have ten decimals',
  ['table-03'],
  (cases) => {
    for (const golden of cases) {
      it.each(Object.entries(golden.expected.rows))('1/%s is %s', (n, text) =>
        expect(probability(Number(n))).toBe(text),
      );
    }
  },
);

interface MetricRow {
  name: string;
  services: Service[];
  endpointSlices: EndpointSlice[];
  sync_proxy_rules_no_local_endpoints_total: { internal: number; external: number };
}
describeGolden<TableCase<MetricRow>>('service ports without local endpoints are counted', ['table-04'], (cases) => {
  for (const golden of cases) {
    for (const row of golden.expected.rows) {
      it(row.name, () => {
        const state = desiredFor(row.services, row.endpointSlices, rulesConfig(golden.config));
        expect(state.noLocalEndpoints).toEqual(row.sync_proxy_rules_no_local_endpoints_total);
      });
    }
  }
});

/** As the `services` text of table-01 describes them. */
function numberedService(name: string, i: number, total: number, type: 'ClusterIP' | 'LoadBalancer'): Service {
  const base = { type, clusterIP: `10.0.0.${1 + i}` };
  const port = { name: '8080', protocol: 'TCP' as const, port: 80 + i };
  const metadata = { namespace: 'namespace', name };
  if (type === 'ClusterIP') return { metadata, spec: { ...base, ports: [port] } };
  return {
    metadata,
    spec: {
      ...base,
      ports: [{ ...port, nodePort: 30000 + i }],
      externalIPs: ['1.2.3.4'],
      loadBalancerSourceRanges: [' 1.2.3.4/28'],
      healthCheckNodePort: 32000 + total + i,
    },
    status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
  };
}

function numberedSlice(service: string, endpoints: number): EndpointSlice {
  return {
    metadata: { namespace: 'namespace', name: service, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: Array.from({ length: endpoints }, (_, j) => ({ addresses: [`172.16.0.${1 + j}`] })),
    ports: [{ name: '8080', protocol: 'TCP', port: 8080 }],
  };
}
