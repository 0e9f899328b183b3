import { afterAll, describe, expect, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import { binaryNames } from '../../../../src/proxy/iptables/backend.ts';
import { SERVED_PORT } from '../agent-protocol.ts';
import { clusterOf, type Draft, externalOf } from '../cluster.ts';
import { addressOf } from '../places.ts';
import type { World } from '../world.ts';

/** What the rules do beside those that others, or the node itself, have made. */
export function describeNodes(world: () => World, family: IPFamily): void {
  const iptables = (world: World, node: string, ...args: string[]) =>
    world.exec(node, binaryNames(family, world.backend).command, '-w', '5', ...args);

  describe('a node that forwards nothing by itself', () => {
    const draft: Draft = { name: 'forwarded', number: 1, endpoints: ['a', 'c'], nodePort: true };

    afterAll(() => iptables(world(), 'bare', '-P', 'FORWARD', 'ACCEPT'));

    test('still forwards what is masqueraded, and all answers', async () => {
      await world().apply([draft], family);
      await iptables(world(), 'bare', '-P', 'FORWARD', 'DROP');
      const expected = { a: 'bare', c: 'bare' };
      const fromOutside = world().target(draft, { kind: 'nodePort', node: 'bare' }, family, 'TCP', 'client');
      expect(await world().outcome('client', fromOutside, expected)).toEqual(expected);
      const fromPod = world().target(draft, { kind: 'clusterIP' }, family);
      expect(await world().outcome('d', fromPod, 'dropped')).toBe('dropped');
    });
  });

  describe('a node that lets nothing in by itself', () => {
    const icmp = family === 'IPv4' ? 'icmp' : 'icmpv6';
    afterAll(async () => {
      await iptables(world(), 'one', '-P', 'INPUT', 'ACCEPT');
      await iptables(world(), 'one', '-D', 'INPUT', '-p', icmp, '-j', 'ACCEPT');
    });

    test('lets load balancers in to the health check port', async () => {
      // The agent stands for the health check server.
      const spec = { externalTrafficPolicy: 'Local', healthCheckNodePort: SERVED_PORT } as const;
      const draft: Draft = { name: 'checked', number: 1, endpoints: ['a'], vips: ['one'], spec };
      await iptables(world(), 'one', '-A', 'INPUT', '-p', icmp, '-j', 'ACCEPT');
      await iptables(world(), 'one', '-P', 'INPUT', 'DROP');
      const target = { transport: 'TCP', address: addressOf('one', family), port: SERVED_PORT } as const;
      await world().apply([], family);
      expect(await world().outcome('two', target, 'dropped')).toBe('dropped');
      await world().apply([draft], family);
      expect(await world().outcome('two', target, { one: 'two' })).toEqual({ one: 'two' });
    });
  });

  describe('a node that has the load balancer’s address itself', () => {
    const sources = [`${addressOf('one', 'IPv4')}/32`, `${addressOf('one', 'IPv6')}/128`];
    const draft: Draft = {
      name: 'own-vip',
      number: 1,
      endpoints: ['a', 'c'],
      vips: ['one'],
      spec: { loadBalancerSourceRanges: sources, externalTrafficPolicy: 'Local' },
    };
    const vip = externalOf('vip', draft.number, 'one', family);
    const [version, length, flags] = family === 'IPv4' ? ['-4', 32, ''] : ['-6', 128, 'nodad'];
    const setUp = [
      `ip ${version} addr add ${vip}/${length} dev lo ${flags}`,
      // The kernel makes the route a moment after the address, and only then counts the address as its own.
      `until ip ${version} route show table local | grep -q '${vip} '; do sleep 0.02; done`,
    ];
    afterAll(() => world().exec('one', 'ip', 'addr', 'del', `${vip}/${length}`, 'dev', 'lo'));

    test('gets through source ranges that contain the node, and is masqueraded, as its packets come from the VIP', async () => {
      await world().apply([draft], family);
      await world().exec('one', 'sh', '-ec', setUp.join('\n'));
      const target = world().target(draft, { kind: 'vip', node: 'one' }, family);
      const expected = { a: 'one', c: 'one' };
      expect(await world().outcome('one', target, expected)).toEqual(expected);
      expect(await world().outcome('d', target, 'dropped')).toBe('dropped');
    });
  });

  describe('an SCTP port', () => {
    test('has rules that the kernel takes; no packet is sent, since Node has no SCTP sockets', async () => {
      const { services, slices } = clusterOf([{ name: 'sctp', number: 1, endpoints: ['a', 'c'] }], family);
      const ports = [{ name: 'sctp', protocol: 'SCTP' as const, port: 80 }];
      const cluster = {
        services: services.map((service) => ({ ...service, spec: { ...service.spec, ports } })),
        slices: slices.map((slice) => ({ ...slice, ports })),
      };
      await world().applyCluster(cluster, family);
      const save = await world().exec('one', binaryNames(family, world().backend).save, '-t', 'nat');
      const dnat = save.split('\n').filter((line) => / -p sctp .*-j DNAT --to-destination /.test(line));
      expect(dnat).toHaveLength(2);
      await world().applyCluster({ services: cluster.services, slices: [] }, family);
      const filter = await world().exec('one', binaryNames(family, world().backend).save, '-t', 'filter');
      expect(filter).toMatch(/-A KUBE-SERVICES .* -p sctp .*has no endpoints.* -j REJECT/);
    });
  });

  if (family === 'IPv4') describeMartians(world);
}

/** route_localnet, which NodePorts on localhost need, would let the neighbours in to 127.0.0.0/8 (CVE-2020-8558). */
function describeMartians(world: () => World): void {
  const address = '127.0.0.9';
  const names = () => binaryNames('IPv4', world().backend);
  const setUp = [
    'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet',
    'ip rule add pref 10 lookup local',
    'ip rule del pref 0',
    `ip route add ${address}/32 via 172.18.0.11 dev eth0 table 9`,
    `ip rule add pref 5 to ${address} lookup 9`,
  ];
  const takeDown = ['ip rule add pref 0 lookup local', 'ip rule del pref 10', 'ip rule del pref 5'];

  describe('a neighbour that sends to 127.0.0.0/8', () => {
    afterAll(() => world().exec('client', 'sh', '-ec', takeDown.join('\n')));

    test('gets no answer, as long as KUBE-FIREWALL is whole; a full sync makes it whole', async () => {
      await world().apply([], 'IPv4');
      await world().exec('client', 'sh', '-ec', setUp.join('\n'));
      const target = { transport: 'TCP', address, port: SERVED_PORT, from: '172.18.0.200' } as const;
      expect(await world().outcome('client', target, 'dropped')).toBe('dropped');
      await world().exec('one', names().command, '-w', '5', '-F', 'KUBE-FIREWALL');
      expect(await world().outcome('client', target, { one: 'client' })).toEqual({ one: 'client' });
      await world().pipeline('one', 'IPv4').fullSync();
      expect(await world().outcome('client', target, 'dropped')).toBe('dropped');
    });
  });
}
