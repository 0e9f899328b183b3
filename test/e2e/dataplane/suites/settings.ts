import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { IPFamily } from '../../../../src/objects/meta.ts';
import { binaryNames } from '../../../../src/proxy/iptables/backend.ts';
import { SERVED_PORT } from '../agent-protocol.ts';
import { Questionnaire } from '../asking.ts';
import { clusterOf, type Draft, externalOf } from '../cluster.ts';
import { addressOf, NODES } from '../places.ts';
import { SETTINGS } from '../settings.ts';
import type { World } from '../world.ts';

/** What the proxier's configuration changes for packets. */
export function describeSettings(world: () => World, family: IPFamily): void {
  describe.each(SETTINGS)('$title', ({ change, situations }) => {
    const questionnaire = new Questionnaire(situations, family);
    afterAll(() => world().configure(family, () => ({})));

    test(questionnaire.situations.map(({ title }) => title).join('; '), async () => {
      await world().configure(family, change);
      await questionnaire.ask(world());
      for (const situation of questionnaire.situations) questionnaire.judge(situation);
    });
  });

  describe('other rules on the node', () => {
    const iptables = (world: World, node: string, ...args: string[]) =>
      world.exec(node, binaryNames(family, world.backend).command, '-w', '5', ...args);
    const draft: Draft = { name: 'others', number: 1, endpoints: ['a', 'c'], nodePort: true };

    afterEach(async () => {
      for (const node of NODES) await iptables(world(), node, '-P', 'FORWARD', 'ACCEPT');
    });

    test('a node that forwards nothing by itself still forwards what is masqueraded, and all answers', async () => {
      await world().apply([draft], family);
      for (const node of NODES) await iptables(world(), node, '-P', 'FORWARD', 'DROP');
      // Node bare forwards, the endpoints' nodes receive: those must let Pods' traffic in, as a network plugin does.
      for (const node of ['one', 'two']) await iptables(world(), node, '-P', 'FORWARD', 'ACCEPT');
      const expected = { a: 'bare', c: 'bare' };
      const fromOutside = world().target(draft, { kind: 'nodePort', node: 'bare' }, family, 'TCP', 'client');
      expect(await world().outcome('client', fromOutside, expected)).toEqual(expected);
      const fromPod = world().target(draft, { kind: 'clusterIP' }, family);
      expect(await world().outcome('d', fromPod, 'dropped')).toBe('dropped');
    });
  });

  describe('a node that has the load balancer’s address itself', () => {
    const sources = [`${addressOf('one', 'IPv4')}/32`, `${addressOf('one', 'IPv6')}/128`];
    const draft: Draft = {
      name: 'own-vip',
      number: 1,
      endpoints: ['a', 'c'],
      vips: ['one'],
      spec: { loadBalancerSourceRanges: sources },
    };
    const vip = `${externalOf('vip', draft.number, 'one', family)}/${family === 'IPv4' ? 32 : 128}`;
    afterAll(() => world().exec('one', 'ip', 'addr', 'del', vip, 'dev', 'lo'));

    test('gets through source ranges that contain the node, though its packets come from the VIP', async () => {
      await world().apply([draft], family);
      await world().exec('one', 'ip', 'addr', 'add', vip, 'dev', 'lo', ...(family === 'IPv6' ? ['nodad'] : []));
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
