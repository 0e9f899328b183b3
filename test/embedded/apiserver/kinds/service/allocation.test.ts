import { describe, expect, it } from 'vitest';
import { Pipeline, refusals } from '../pipeline.ts';

const ports = [{ port: 80 }];
const named = (name: string, spec: Record<string, unknown>) => ({ metadata: { name }, spec: { ports, ...spec } });

describe('cluster IPs', () => {
  it('skip the address of the network and the IPv4 broadcast address', () => {
    const server = new Pipeline({ serviceCIDRs: ['10.0.0.0/30', 'fd00::/126'] });
    for (const [i, random] of [0, 0.99].entries()) {
      server.random = () => random;
      server.create('services', named(`s${i}`, { ipFamilyPolicy: 'RequireDualStack' }));
    }
    expect(refusals(() => server.create('services', named('full', {})))).toEqual([
      'spec.clusterIPs: Invalid value: []: failed to allocate a serviceIP: range is full',
    ]);
    expect(refusals(() => server.create('services', named('net', { clusterIP: '10.0.0.0' })))).toEqual([
      'spec.clusterIPs: Invalid value: ["10.0.0.0"]: failed to allocate IP 10.0.0.0: the provided network does not match the current range',
    ]);
    expect(server.create('services', named('last6', { clusterIP: 'fd00::2' })).spec.clusterIPs).toEqual(['fd00::2']);
  });

  it('an address in use is refused, in every spelling, and free again after the Service is gone', () => {
    const server = new Pipeline();
    server.create('services', named('a', { clusterIP: 'fd00:10:96::9' }));
    const again = () => server.create('services', named('b', { clusterIP: 'FD00:10:96:0::9' }));
    expect(refusals(again)).toEqual([
      'spec.clusterIPs: Invalid value: ["FD00:10:96:0::9"]: failed to allocate IP FD00:10:96:0::9: provided IP is already allocated',
    ]);
    server.delete('services', 'a');
    expect(refusals(again)).toEqual([]);
  });

  it('come from further ServiceCIDRs once the own range is full', () => {
    const server = new Pipeline({ serviceCIDRs: ['10.0.0.0/30'] });
    for (const name of ['a', 'b']) server.create('services', named(name, {}));
    server.create('servicecidrs', { metadata: { name: 'more' }, spec: { cidrs: ['fd00:2::/112', '10.2.0.0/30'] } });
    expect(server.create('services', named('c', {})).spec.clusterIP).toMatch(/^10\.2\.0\.[12]$/);
  });

  it('a nearly full range still gives the last address', () => {
    const server = new Pipeline({ serviceCIDRs: ['10.0.0.0/27'] });
    const given = new Set<unknown>();
    for (let i = 0; i < 30; i++) given.add(server.create('services', named(`s${i}`, {})).spec.clusterIP);
    expect(given.size).toBe(30);
  });

  it('changing the type to ExternalName and back gives up the address and gets one again', () => {
    const server = new Pipeline();
    server.create('services', named('a', { clusterIP: '10.96.0.7' }));
    const external = server.update('services', 'a', ({ spec }) => {
      Object.assign(spec, { type: 'ExternalName', externalName: 'a.b' });
    });
    expect(external.spec).toEqual({
      ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
      type: 'ExternalName',
      sessionAffinity: 'None',
      externalName: 'a.b',
    });
    server.create('services', named('b', { clusterIP: '10.96.0.7' }));
    const back = server.update('services', 'a', ({ spec }) => {
      Object.assign(spec, { type: 'ClusterIP' });
    });
    expect(back.spec.clusterIP).toBe('10.96.0.1');
    expect(back.spec.ipFamilies).toEqual(['IPv4']);
  });

  it('a second family gets an address of its own, and gives it up again', () => {
    const server = new Pipeline();
    const { spec: before } = server.create('services', named('a', {}));
    const { spec: dual } = server.update('services', 'a', ({ spec }) => {
      spec.ipFamilyPolicy = 'PreferDualStack';
    });
    expect(dual).toMatchObject({ clusterIP: before.clusterIP, clusterIPs: [before.clusterIP, 'fd00:10:96::1'] });
    expect(dual.ipFamilies).toEqual(['IPv4', 'IPv6']);
    const { spec: single } = server.update('services', 'a', ({ spec }) => {
      spec.ipFamilyPolicy = 'SingleStack';
    });
    expect(single).toMatchObject({ clusterIPs: [before.clusterIP], ipFamilies: ['IPv4'] });
  });
});

describe('node ports', () => {
  const nodePorts = (spec: Record<string, unknown>) =>
    (spec.ports as { nodePort?: number }[]).map((port) => port.nodePort);

  it('one number serves TCP and UDP of one Service on one port, and no other Service', () => {
    const server = new Pipeline();
    const both = [
      { name: 'a', port: 53 },
      { name: 'b', port: 53, protocol: 'UDP' },
    ];
    const { spec } = server.create('services', { metadata: { name: 'dns' }, spec: { type: 'NodePort', ports: both } });
    const [first, second] = nodePorts(spec);
    expect(first).toBe(second);
    const udp = { type: 'NodePort', ports: [{ port: 80, protocol: 'UDP', nodePort: first }] };
    expect(refusals(() => server.create('services', { spec: udp }))).toEqual([
      `spec.ports[0].nodePort: Invalid value: ${first}: provided port is already allocated`,
    ]);
  });

  it('different ports of one Service get different numbers', () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81, protocol: 'UDP' },
    ];
    const { spec } = new Pipeline().create('services', { spec: { type: 'NodePort', ports } });
    expect(new Set(nodePorts(spec)).size).toBe(2);
  });

  it('a number outside of the range is refused', () => {
    const spec = { type: 'NodePort', ports: [{ port: 80, nodePort: 100 }] };
    expect(refusals(() => new Pipeline().create('services', { spec }))).toEqual([
      'spec.ports[0].nodePort: Invalid value: 100: provided port is not in the valid range. The range of valid ports is 30000-32767',
    ]);
  });

  it('a range can be used up', () => {
    const server = new Pipeline({ nodePortRange: { from: 30000, to: 30001 } });
    const service = (name: string) => named(name, { type: 'NodePort' });
    server.create('services', service('a'));
    server.create('services', service('b'));
    expect(refusals(() => server.create('services', service('c')))).toEqual([
      'spec.ports[0].nodePort: Invalid value: 0: failed to allocate a nodePort: range is full',
    ]);
    server.delete('services', 'a');
    expect(refusals(() => server.create('services', service('c')))).toEqual([]);
  });

  it('are inherited by port name when an update leaves them out', () => {
    const server = new Pipeline();
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ];
    const [a, b] = nodePorts(server.create('services', named('s', { type: 'NodePort', ports })).spec);
    const { spec } = server.update('services', 's', (service) => {
      service.spec.ports = [
        { name: 'c', port: 81 },
        { name: 'b', port: 80 },
        { name: 'a', port: 82 },
      ];
    });
    const [c, ...kept] = nodePorts(spec);
    expect(kept).toEqual([b, a]);
    expect([a, b]).not.toContain(c);
  });

  it('the health check port is not a node port of another Service either', () => {
    const server = new Pipeline();
    const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
    const { spec } = server.create('services', named('a', local));
    const { healthCheckNodePort } = spec;
    expect(nodePorts(spec)).not.toContain(healthCheckNodePort);
    const clash = { type: 'NodePort', ports: [{ port: 80, nodePort: healthCheckNodePort }] };
    expect(refusals(() => server.create('services', { spec: clash }))).toEqual([
      `spec.ports[0].nodePort: Invalid value: ${healthCheckNodePort}: provided port is already allocated`,
    ]);
  });

  it('a load balancer that wants none gets none, but keeps those it names', () => {
    const spec = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false };
    expect(nodePorts(new Pipeline().create('services', named('a', spec)).spec)).toEqual([undefined]);
    const explicit = { ...spec, ports: [{ port: 80, nodePort: 31006 }] };
    expect(nodePorts(new Pipeline().create('services', named('a', explicit)).spec)).toEqual([31006]);
  });
});
