import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { TRIGGER_TIME_ANNOTATION } from '../../src/objects/endpointslice.ts';
import { createLogger, type Logger, silentLogger } from '../../src/observe/logger.ts';
import type { UdpFlow, UdpMatch } from '../../src/proxy/conntrack.ts';
import { ConntrackError } from '../../src/proxy/conntrack.ts';
import { UdpFlowCleaner } from '../../src/proxy/conntrack-cleaner.ts';
import { FakeIptables } from '../../src/proxy/iptables/fake-iptables.ts';
import { IptablesError } from '../../src/proxy/iptables/runner.ts';
import { ProxyMetrics } from '../../src/proxy/metrics.ts';
import { Proxier } from '../../src/proxy/proxier.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { rulesConfig } from './iptables/clusters.ts';
import { service, slice } from './objects.ts';

const busy = () => new IptablesError('iptables-restore', 'iptables-restore ended with status 4: busy', { exitCode: 4 });

function setUp(
  over: { config?: Parameters<typeof rulesConfig>[0]; nodeAddresses?: () => string[]; log?: Logger } = {},
) {
  const clock = new FakeClock();
  const iptables = new FakeIptables({ family: over.config?.ipFamily ?? 'IPv4' });
  const registry = new Registry();
  const metrics = new ProxyMetrics(registry);
  const events: string[] = [];
  const flows: UdpFlow[] = [];
  const deleted: UdpMatch[] = [];
  const conntrack = { fail: undefined as ConntrackError | undefined, listings: 0 };
  const config = rulesConfig(over.config);
  const nodeAddresses = over.nodeAddresses ?? (() => ['192.168.0.2']);
  const proxier = new Proxier({
    config,
    iptables,
    conntrack: new UdpFlowCleaner({
      family: config.ipFamily,
      conntrack: {
        listUdp: async (onFlow) => {
          conntrack.listings++;
          if (conntrack.fail) throw conntrack.fail;
          flows.forEach(onFlow);
        },
        deleteUdp: async (matches) => {
          deleted.push(...matches);
          return matches.length;
        },
      },
      nodeAddresses,
      metrics,
      clock,
      log: silentLogger,
    }),
    nodeAddresses,
    syncPeriod: 30_000,
    minSyncPeriod: 1_000,
    metrics,
    clock,
    log: over.log ?? silentLogger,
    onQueued: () => events.push(`${clock.monotonic()} queued`),
    onSynced: () => events.push(`${clock.monotonic()} synced`),
    record: (event) => events.push(`${event.reason}: ${event.message}`),
  });
  /** The value on the line of the metrics page that starts with this name and, if given, labels. */
  const value = async (start: string) => {
    const line = (await registry.metrics()).split('\n').find((l) => l.startsWith(start));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };
  return { clock, iptables, proxier, events, flows, deleted, conntrack, value };
}

const svc1 = service('ns1/svc1');
const one = slice('ns1/svc1', 's1', ['10.1.0.1'], { resourceVersion: '1' });
const two = slice('ns1/svc1', 's1', ['10.1.0.1', '10.1.0.2'], { resourceVersion: '2' });

describe('the log of a proxier', () => {
  test('has a line for each sync with counts and latency, and for debugging one for each service port', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
    const { proxier, clock } = setUp({ log });
    proxier.start();
    await proxier.firstSync;
    await clock.advance(5000);
    lines.length = 0;
    proxier.onService(undefined, svc1);
    const triggered = new Date(clock.now() - 250).toISOString();
    proxier.onSlice(undefined, {
      ...one,
      metadata: { ...one.metadata, annotations: { [TRIGGER_TIME_ANNOTATION]: triggered } },
    });
    await clock.advance(1000);
    await settle();
    expect(lines.map(({ msg }) => msg)).toEqual(['syncing', 'service port added', 'synced', 'syncing', 'synced']);
    expect(lines[1]).toMatchObject({ family: 'IPv4', servicePort: 'ns1/svc1:p80', protocol: 'TCP' });
    expect(lines[4]).toMatchObject({ services: 1, endpoints: 1, chainsWritten: expect.any(Number), ms: 0 });
    expect(lines[4]?.programmingMs).toBeGreaterThanOrEqual(250);
    lines.length = 0;
    proxier.onService(svc1, undefined);
    await clock.advance(1000);
    await settle();
    expect(lines.map(({ msg }) => msg)).toContain('service port removed');
    await proxier.stop();
  });
});

describe('the proxier of one family', () => {
  test('writes nothing before it is started, and everything it was told of then', async () => {
    const { proxier, iptables } = setUp();
    proxier.onService(undefined, svc1);
    proxier.onSlice(undefined, one);
    await settle();
    expect(iptables.calls).toEqual([]);
    proxier.start();
    await proxier.firstSync;
    expect(iptables.dump('nat')).toContain('--to-destination 10.1.0.1:80');
    expect(iptables.calls).toHaveLength(2);
    await proxier.stop();
  });

  test('the first change after a quiet time is written at once, later ones together after the pause', async () => {
    const { proxier, iptables, clock } = setUp();
    proxier.onService(undefined, svc1);
    proxier.start();
    await clock.advance(10_000);
    iptables.calls.length = 0;
    proxier.onSlice(undefined, one);
    await settle();
    expect(iptables.calls).toHaveLength(1);
    proxier.onSlice(one, two);
    proxier.onService(undefined, service('ns2/svc2', { clusterIP: '172.30.0.42' }));
    await clock.advance(999);
    expect(iptables.calls).toHaveLength(1);
    await clock.advance(1);
    expect(iptables.calls).toHaveLength(2);
    await proxier.stop();
  });

  test('an event that changes nothing, or of the other family, starts no sync', async () => {
    const { proxier, events, clock } = setUp();
    proxier.onService(undefined, svc1);
    proxier.start();
    await clock.advance(5_000);
    events.length = 0;
    proxier.onService(svc1, service('ns1/svc1', {}, { annotations: { a: 'b' } }));
    proxier.onSlice(undefined, slice('ns1/svc1', 's6', ['fd00::1'], { addressType: 'IPv6' }));
    await clock.advance(5_000);
    expect(events).toEqual([]);
    await proxier.stop();
  });

  test('a failed sync loses nothing: changes, trigger times and stale UDP flows wait for the retry', async () => {
    const { proxier, iptables, clock, value, flows, deleted, events } = setUp();
    const dns = service('ns/dns', { ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] });
    const ports = [{ name: 'dns', protocol: 'UDP' as const, port: 5353 }];
    const before = slice('ns/dns', 's1', ['10.1.0.1', '10.1.0.2'], { ports, resourceVersion: '1' });
    proxier.onService(undefined, dns);
    proxier.onSlice(undefined, before);
    proxier.start();
    await clock.advance(5_000);
    flows.push({ origDst: '172.30.0.41', origDstPort: 53, replySrc: '10.1.0.2', replySrcPort: 5353 });
    iptables.failNext(busy());
    events.length = 0;
    const annotations = { [TRIGGER_TIME_ANNOTATION]: new Date(clock.now()).toISOString() };
    proxier.onSlice(before, slice('ns/dns', 's1', ['10.1.0.1'], { ports, resourceVersion: '2', annotations }));
    await clock.advance(29_999);
    expect(events).toEqual(['5000 queued']);
    expect(deleted).toEqual([]);
    expect(iptables.dump('nat')).toContain('10.1.0.2:5353');
    expect(await value('kubeproxy_sync_proxy_rules_iptables_restore_failures_total')).toBe(1);
    await clock.advance(1);
    expect(events).toEqual(['5000 queued', '35000 synced']);
    expect(iptables.dump('nat')).not.toContain('10.1.0.2:5353');
    expect(await value('kubeproxy_network_programming_duration_seconds_count')).toBe(1);
    expect(await value('kubeproxy_network_programming_duration_seconds_sum')).toBe(30);
    expect(deleted).toEqual(flows);
    await proxier.stop();
  });

  test('a failed first sync is tried again by itself', async () => {
    const { proxier, iptables, clock, events } = setUp();
    proxier.onService(undefined, svc1);
    const fail = iptables.restore.bind(iptables);
    iptables.restore = async () => Promise.reject(busy());
    proxier.start();
    await clock.advance(1_000);
    expect(events).not.toContain('0 synced');
    iptables.restore = fail;
    await clock.advance(29_000);
    expect(events).toContain('30000 synced');
    await proxier.stop();
  });

  test('rules that something else changed are repaired within the sync period, with an event and a metric', async () => {
    const { proxier, iptables, clock, events, value } = setUp();
    proxier.onService(undefined, svc1);
    proxier.onSlice(undefined, one);
    proxier.start();
    await clock.advance(1_000);
    const good = iptables.dump('nat');
    await iptables.command(['-F', 'KUBE-SVC-XPGD46QRK7WJZT7O', '-t', 'nat']);
    events.length = 0;
    await clock.advance(30_000);
    expect(iptables.dump('nat').replace(':KUBE-PROXY-CANARY - [0:0]\n', '')).toBe(good);
    expect(events).toEqual([
      'RulesRepaired: IPv4 iptables rules were not as written and have been repaired: changed: nat/KUBE-SVC-XPGD46QRK7WJZT7O',
    ]);
    expect(await value('slicewise_proxier_repaired_chains_total')).toBe(1);
    await proxier.stop();
  });

  test('flushed tables are written anew at once, not after the pause between syncs', async () => {
    const { proxier, iptables, clock } = setUp();
    proxier.onService(undefined, svc1);
    proxier.onSlice(undefined, one);
    proxier.start();
    await clock.advance(30_000);
    const good = iptables.dump('nat');
    iptables.parse('*filter\nCOMMIT\n');
    await clock.advance(30_200);
    expect(iptables.dump('nat').split('\n').sort()).toEqual(
      good.replace(':KUBE-PROXY-CANARY - [0:0]\n', '').split('\n').sort(),
    );
    await proxier.stop();
  });

  test('a new zone means that hints are read again', async () => {
    const { proxier, iptables, clock } = setUp();
    const hinted = (ip: string, zone: string) => ({ addresses: [ip], hints: { forZones: [{ name: zone }] } });
    proxier.onService(undefined, svc1);
    proxier.onSlice(undefined, slice('ns1/svc1', 's1', [hinted('10.1.0.1', 'a'), hinted('10.1.0.2', 'b')]));
    proxier.start();
    await clock.advance(5_000);
    expect(iptables.dump('nat')).toContain('10.1.0.2:80');
    proxier.setZone('a');
    await settle();
    expect(iptables.dump('nat')).not.toContain('10.1.0.2:80');
    await proxier.stop();
  });

  test('node addresses are looked at for every sync when NodePorts are limited to some', async () => {
    let addresses = ['192.168.0.2'];
    const { proxier, iptables, clock } = setUp({
      config: { nodePortAddresses: ['192.168.0.0/16'] },
      nodeAddresses: () => addresses,
    });
    proxier.onService(undefined, svc1);
    proxier.start();
    await clock.advance(5_000);
    expect(iptables.rules('nat', 'KUBE-SERVICES')?.join('\n')).toContain('-d 192.168.0.2/32');
    addresses = ['192.168.0.3'];
    proxier.onSlice(undefined, one);
    await settle();
    expect(iptables.rules('nat', 'KUBE-SERVICES')?.join('\n')).toContain('-d 192.168.0.3/32');
    expect(iptables.rules('nat', 'KUBE-SERVICES')?.join('\n')).not.toContain('-d 192.168.0.2/32');
    await proxier.stop();
  });

  test('stopping leaves the rules in place and starts nothing more', async () => {
    const { proxier, iptables, clock } = setUp();
    proxier.onService(undefined, svc1);
    proxier.onSlice(undefined, one);
    proxier.start();
    await proxier.firstSync;
    await proxier.stop();
    const dump = iptables.dump();
    iptables.calls.length = 0;
    proxier.onSlice(one, two);
    await clock.advance(7_200_000);
    expect(iptables.calls).toEqual([]);
    expect(iptables.dump()).toBe(dump);
  });
});

describe('the cleaning of UDP flows', () => {
  const dns = service('ns/dns', { ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] });
  const stale: UdpFlow = { origDst: '172.30.0.41', origDstPort: 53, replySrc: '10.1.0.2', replySrcPort: 5353 };

  test('happens after syncs that touch UDP, not after others', async () => {
    const { proxier, clock, conntrack } = setUp();
    proxier.onService(undefined, svc1);
    proxier.onSlice(undefined, one);
    proxier.start();
    await clock.advance(5_000);
    expect(conntrack.listings).toBe(0);
    proxier.onService(undefined, dns);
    await settle();
    expect(conntrack.listings).toBe(1);
    await proxier.stop();
  });

  test('covers a Service that was deleted', async () => {
    const { proxier, clock, flows, deleted } = setUp();
    proxier.onService(undefined, dns);
    proxier.start();
    await clock.advance(5_000);
    flows.push(stale);
    proxier.onService(dns, undefined);
    await settle();
    expect(deleted).toEqual([{ origDst: stale.origDst, origDstPort: stale.origDstPort }]);
    await proxier.stop();
  });

  test('is tried again after a failure, with nothing forgotten, and given up where the program is missing', async () => {
    const { proxier, clock, flows, deleted, conntrack } = setUp();
    proxier.onService(undefined, dns);
    proxier.start();
    await clock.advance(5_000);
    flows.push(stale);
    conntrack.fail = new ConntrackError('busy');
    proxier.onService(dns, undefined);
    await clock.advance(10_000);
    expect(deleted).toEqual([]);
    conntrack.fail = undefined;
    await clock.advance(20_000);
    expect(deleted).toEqual([{ origDst: stale.origDst, origDstPort: stale.origDstPort }]);
    conntrack.fail = new ConntrackError('conntrack is not installed', { missing: true });
    proxier.onService(undefined, dns);
    await settle();
    const { listings } = conntrack;
    proxier.onService(dns, undefined);
    await clock.advance(120_000);
    expect(conntrack.listings).toBe(listings);
    await proxier.stop();
  });
});
