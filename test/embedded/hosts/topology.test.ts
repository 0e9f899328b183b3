import { describe, expect, it } from 'vitest';
import { planTopology } from '../../../src/embedded/hosts/topology.ts';

describe('planTopology', () => {
  it('gives the control plane Pod network 0 and workers the next ones, as kubeadm does', () => {
    const { nodes, wire, client } = planTopology([
      { name: 'control', zone: 'zone-a', controlPlane: true },
      { name: 'worker1', zone: 'zone-b' },
    ]);
    expect(nodes).toEqual([
      {
        name: 'control',
        zone: 'zone-a',
        controlPlane: true,
        ipv4: '172.18.0.11',
        ipv6: 'fd00:172:18::11',
        podCIDR: '10.244.0.0/24',
        podCIDR6: 'fd00:10:244:0::/64',
        podGateway: '10.244.0.1',
      },
      {
        name: 'worker1',
        zone: 'zone-b',
        controlPlane: false,
        ipv4: '172.18.0.12',
        ipv6: 'fd00:172:18::12',
        podCIDR: '10.244.1.0/24',
        podCIDR6: 'fd00:10:244:1::/64',
        podGateway: '10.244.1.1',
      },
    ]);
    expect(wire.ipv4).toBe('172.18.0.1');
    expect(client.ipv4).toBe('172.18.0.200');
  });

  it.each([
    [['Node_1'], 'node name "Node_1" is not a DNS label of at most 40 characters'],
    [['a', 'a'], 'node name "a" is taken'],
    [['client'], 'node name "client" is taken'],
    [[], '0 nodes: from 1 to 64 are possible'],
  ])('refuses %j', (names, message) => {
    expect(() => planTopology(names.map((name) => ({ name, zone: 'z' })))).toThrow(message);
  });
});
