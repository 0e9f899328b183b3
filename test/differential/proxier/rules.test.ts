import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { snapshots } from './arbitrary.ts';
import type { AnyObject } from './object-server.ts';
import { Pair, SIDES, type Side, type Snapshot } from './pair.ts';

const kubeProxy = join(process.env.KUBEBUILDER_ASSETS ?? '/nonexistent', 'kube-proxy');
const there = existsSync(kubeProxy);
if (!there)
  console.log('skipped: "The proxier against kube-proxy": KUBEBUILDER_ASSETS names no folder with kube-proxy');

const CIDRS = { clusterCIDR: '10.244.0.0/16,fd00:244::/48' };
const fast = { minSyncPeriod: '10ms' };

/** What both are configured with, and where that differs from the default. */
const SETTINGS: [string, object][] = [
  ['as kubeadm sets it up', { ...CIDRS, iptables: fast }],
  ['without a cluster CIDR', { iptables: fast }],
  ['with the cluster CIDR of one family', { clusterCIDR: '10.244.0.0/16', iptables: fast }],
  [
    'that masquerades everything, with another bit',
    { ...CIDRS, iptables: { ...fast, masqueradeAll: true, masqueradeBit: 31 } },
  ],
  ['in mode NodeCIDR', { detectLocalMode: 'NodeCIDR', iptables: { ...fast, localhostNodePorts: false } }],
  [
    'in mode BridgeInterface',
    { detectLocalMode: 'BridgeInterface', detectLocal: { bridgeInterface: 'cni0' }, iptables: fast },
  ],
  [
    'in mode InterfaceNamePrefix',
    { detectLocalMode: 'InterfaceNamePrefix', detectLocal: { interfaceNamePrefix: 'veth' }, iptables: fast },
  ],
  [
    'with node ports on some addresses',
    { ...CIDRS, nodePortAddresses: ['198.18.5.0/24', '127.0.0.0/8', 'fd00:18::/64', '::1/128'], iptables: fast },
  ],
  ['with node ports on primary addresses', { ...CIDRS, nodePortAddresses: ['primary'], iptables: fast }],
  ['with node ports on addresses of one family', { ...CIDRS, nodePortAddresses: ['198.18.5.0/24'], iptables: fast }],
  ['without externalIPs', { ...CIDRS, featureGates: { AllowServiceExternalIPs: false }, iptables: fast }],
];

describe.runIf(there)('The proxier against kube-proxy', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.open(kubeProxy);
    const addresses = ['198.18.5.1/32', '198.18.5.2/32', '192.0.2.11/32', 'fd00:18::1/128', '2001:db8::11/128'];
    // An interface without a carrier: its addresses are the machine's all the same.
    const unplugged = ['198.18.5.3/32', 'fd00:18::3/128'];
    for (const side of SIDES) {
      const ip = (...args: string[]) => pair.exec(side, 'ip', ...args);
      await ip('link', 'add', 'unplugged', 'type', 'veth', 'peer', 'name', 'socket');
      await ip('link', 'set', 'unplugged', 'up');
      for (const address of addresses) await ip('addr', 'add', address, 'dev', 'lo');
      for (const address of unplugged) await ip('addr', 'add', address, 'dev', 'unplugged');
    }
  });
  afterEach(() => pair.stop());
  afterAll(() => pair?.close());

  it.each(SETTINGS)(
    '%s writes the same rules for any cluster and any change of it',
    async (_name, config) => {
      pair.setNode({});
      await pair.start(config);
      await fc.assert(
        fc.asyncProperty(snapshots, async ({ zone, ...snapshot }) => {
          pair.setNode(zone === '' ? {} : { labels: { 'topology.kubernetes.io/zone': zone } });
          await pair.show(snapshot);
          const { upstream, slicewise } = await pair.rules();
          expect(slicewise).toEqual(upstream);
        }),
        { numRuns: 8, endOnFailure: true },
      );
    },
    180_000,
  );

  it('beyond 1000 endpoints leaves the same comments out', async () => {
    const shop = (name: string, endpoints: number): Snapshot => ({
      services: [plainService(name)],
      slices: Array.from({ length: Math.ceil(endpoints / 100) }, (_, part) =>
        plainSlice(name, part, Math.min(100, endpoints - part * 100)),
      ),
    });
    const together = (...parts: Snapshot[]): Snapshot => ({
      services: parts.flatMap(({ services }) => services),
      slices: parts.flatMap(({ slices }) => slices),
    });
    await pair.start({ ...CIDRS, iptables: fast });
    const steps = [
      together(shop('a', 2), shop('b', 3)),
      together(shop('a', 2), shop('b', 3), shop('c', 1100)),
      together(shop('a', 4), shop('b', 3), shop('c', 1100)),
      together(shop('a', 4), shop('b', 3), shop('c', 1100), shop('d', 1)),
    ];
    for (const step of steps) {
      await pair.show(step);
      // Chains that are not needed any more stay for a while, and only the marker leaves any.
      const { upstream, slicewise } = await pair.rules((line) => !/marker|10\.99\.|fd00:99|:KUBE-SEP-/.test(line));
      expect(slicewise).toEqual(upstream);
    }
  }, 60_000);

  it('in mode NodeCIDR both go on when the Node gets other addresses, and end when it gets other podCIDRs', async () => {
    await pair.start({ detectLocalMode: 'NodeCIDR', iptables: fast });
    await pair.show({ services: [], slices: [] });
    pair.setNode({ addresses: ['192.0.2.12'] });
    await pair.show({ services: [plainService('a')], slices: [plainSlice('a', 0, 1)] });
    pair.setNode({ spec: { podCIDRs: ['10.244.4.0/24'] } });
    expect(await pair.exitCodes()).toEqual({ upstream: 1, slicewise: 1 });
  });

  it('each cleans up what the other left, and leaves the same behind', async () => {
    const [snapshot] = fc.sample(snapshots, { numRuns: 1, seed: 3 });
    if (!snapshot) throw new Error('no sample');
    for (const side of SIDES) await pair.exec(side, 'nft', 'add', 'table', 'ip', 'kube-proxy');
    await pair.start({ ...CIDRS, iptables: fast });
    await pair.show(snapshot);
    // Of mode nftables, which is not in use.
    for (const side of SIDES) {
      while ((await pair.exec(side, 'nft', 'list', 'tables')).includes('kube-proxy')) await delay(25);
    }
    await pair.stop();
    await pair.cleanUp('upstream', 'slicewise');
    await pair.cleanUp('slicewise', 'upstream');
    const { upstream, slicewise } = await pair.rules();
    expect(slicewise).toEqual(upstream);
    expect(upstream.filter((line) => !line.includes('KUBE-FIREWALL'))).toEqual([]);
  });

  it('--init-only sets the same kernel settings', async () => {
    const conntrack = {
      maxPerCore: 0,
      tcpEstablishedTimeout: '1h0m0.9s',
      tcpCloseWaitTimeout: '7m',
      tcpBeLiberal: true,
      udpTimeout: '33s',
      udpStreamTimeout: '121s',
    };
    const settings = 'net.netfilter.nf_conntrack_(tcp|udp)|conf.all.route_localnet';
    const read = async (side: Side) =>
      (await pair.exec(side, 'sh', '-c', `sysctl -a | grep -E '${settings}'`)).split('\n');
    const before = await read('upstream');
    for (const side of SIDES) await pair.run(side, { conntrack }, '--init-only');
    const [theirs, ours] = [await read('upstream'), await read('slicewise')];
    const changed = theirs.filter((line) => !before.includes(line));
    expect(changed).toContain('net.netfilter.nf_conntrack_tcp_timeout_established = 3600');
    expect(ours).toEqual(expect.arrayContaining(changed));
    expect(ours.filter((line) => !before.includes(line))).toEqual(changed);
  });
});

function plainService(name: string): AnyObject {
  const clusterIP = `172.30.9.${name.charCodeAt(0)}`;
  const ports = [{ name: 'web', protocol: 'TCP', port: 80, nodePort: 30000 + name.charCodeAt(0) }];
  return {
    metadata: { namespace: 'large', name },
    spec: {
      type: 'NodePort',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ports,
      sessionAffinity: 'None',
    },
  };
}

function plainSlice(name: string, part: number, count: number): AnyObject {
  return {
    metadata: { namespace: 'large', name: `${name}-${part}`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'web', protocol: 'TCP', port: 8080 }],
    endpoints: Array.from({ length: count }, (_, i) => ({
      addresses: [`10.${name.charCodeAt(0)}.${part}.${i + 1}`],
      conditions: { ready: true },
    })),
  };
}
