import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProxyEndpoint } from '../../../src/proxy/endpoints.ts';
import {
  healthCheckPorts,
  localReadyCounts,
  planHealthPorts,
  serviceHealthReply,
} from '../../../src/proxy/health/service-health.ts';
import { servicePortName } from '../../../src/proxy/names.ts';
import type { ServicePortRecord } from '../../../src/proxy/service-ports.ts';

function port(service: string, name: string, healthCheckNodePort: number): ServicePortRecord {
  return {
    name: servicePortName('ns', service, name, 'TCP'),
    service: `ns/${service}`,
    display: `ns/${service}:${name}`,
    protocol: 'TCP',
    port: 80,
    nodePort: 30080,
    clusterIP: '10.0.0.1',
    affinitySeconds: 0,
    externalPolicyLocal: true,
    internalPolicyLocal: false,
    externalIPs: [],
    loadBalancerVIPs: [],
    loadBalancerSourceRanges: [],
    healthCheckNodePort,
  };
}

function endpoint(ip: string, fields: Partial<ProxyEndpoint> = {}): ProxyEndpoint {
  const base = { ready: true, serving: true, terminating: false, isLocal: true, zoneHints: [], nodeHints: [] };
  return { ip, port: 80, address: `${ip}:80`, ...base, ...fields };
}

const services = (...ports: ServicePortRecord[]) => new Map(ports.map((p) => [p.name, p]));

describe('health-check node ports', () => {
  it('are those of Services that have one, once for all their ports', () => {
    const ports = services(port('a', 'http', 30001), port('a', 'https', 30001), port('b', '', 0));
    expect([...healthCheckPorts(ports)]).toEqual([['ns/a', 30001]]);
  });
});

describe('the count of local endpoints', () => {
  it('is of distinct addresses over all ports, ready and on this node', () => {
    const http = port('a', 'http', 30001);
    const https = port('a', 'https', 30001);
    const other = port('b', '', 0);
    const endpoints = new Map([
      [
        http.name,
        [
          endpoint('10.1.0.1'),
          endpoint('10.1.0.2'),
          endpoint('10.1.0.3', { isLocal: false }),
          endpoint('10.1.0.4', { ready: false, terminating: true }),
        ],
      ],
      [https.name, [endpoint('10.1.0.2'), endpoint('10.1.0.5')]],
      [other.name, [endpoint('10.1.0.9')]],
    ]);
    expect([...localReadyCounts(services(http, https, other), endpoints)]).toEqual([['ns/a', 3]]);
  });

  it('is 0 for a Service without endpoints', () => {
    expect([...localReadyCounts(services(port('a', '', 30001)), new Map())]).toEqual([['ns/a', 0]]);
  });
});

describe('the plan for health-check node ports', () => {
  const map = (ports: Record<string, number>) => new Map(Object.entries(ports));

  it.each([
    ['opens what is new', {}, { 'ns/a': 1 }, [], [{ service: 'ns/a', port: 1 }]],
    ['closes what is gone', { 'ns/a': 1 }, {}, ['ns/a'], []],
    ['moves a port by closing and opening', { 'ns/a': 1 }, { 'ns/a': 2 }, ['ns/a'], [{ service: 'ns/a', port: 2 }]],
    ['leaves the rest alone', { 'ns/a': 1, 'ns/b': 2 }, { 'ns/a': 1 }, ['ns/b'], []],
  ])('%s', (_what, running, desired, close, open) => {
    expect(planHealthPorts(map(running), map(desired))).toEqual({ close, open });
  });

  it('always turns what runs into what is desired, never holding one port twice', () => {
    const ports = fc.uniqueArray(fc.tuple(fc.constantFrom('ns/a', 'ns/b', 'ns/c'), fc.integer({ min: 1, max: 4 })), {
      selector: ([service]) => service,
    });
    fc.assert(
      fc.property(ports, ports, (running, wanted) => {
        const desired = new Map<string, number>(
          wanted.filter(([, p], i) => wanted.findIndex(([, q]) => q === p) === i),
        );
        const open = new Map<string, number>(running.filter(([, p], i) => running.findIndex(([, q]) => q === p) === i));
        const plan = planHealthPorts(open, desired);
        for (const service of plan.close) open.delete(service);
        for (const { service, port: number } of plan.open) {
          expect([...open.values()]).not.toContain(number);
          open.set(service, number);
        }
        expect(new Map([...open].sort())).toEqual(new Map([...desired].sort()));
      }),
    );
  });
});

describe('the answer of a health-check node port', () => {
  it.each<[number, boolean, number]>([
    [2, true, 200],
    [0, true, 503],
    [2, false, 503],
    [0, false, 503],
  ])('with %d local endpoints and a proxy whose health is %s is %d', (count, proxyHealthy, status) => {
    expect(serviceHealthReply('ns/svc', count, proxyHealthy)).toEqual({
      status,
      contentType: 'application/json',
      headers: { 'x-load-balancing-endpoint-weight': String(count) },
      body: `{\n\t"service": {\n\t\t"namespace": "ns",\n\t\t"name": "svc"\n\t},\n\t"localEndpoints": ${count},\n\t"serviceProxyHealthy": ${proxyHealthy}\n}`,
    });
  });
});
