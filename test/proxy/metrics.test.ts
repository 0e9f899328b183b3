import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ProxyMetrics } from '../../src/proxy/metrics.ts';

function setUp() {
  const registry = new Registry();
  const metrics = new ProxyMetrics(registry);
  /** Lines of the metrics of this name, values included; without histogram buckets. */
  const lines = async (name: string) =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`kubeproxy_${name}`) && !line.includes('_bucket{'))
      .map((line) => line.replace('kubeproxy_', ''));
  return { registry, metrics, lines };
}

const E = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];

describe('the metrics', () => {
  it('have the names and types of kube-proxy', async () => {
    const { registry, metrics } = setUp();
    metrics.showNfacct(async () => ({}));
    const types = (await registry.metrics()).split('\n').filter((line) => line.startsWith('# TYPE kubeproxy_'));
    expect(types.map((line) => line.replace('# TYPE kubeproxy_', '')).sort()).toEqual([
      'conntrack_reconciler_deleted_entries_total counter',
      'conntrack_reconciler_sync_duration_seconds histogram',
      'iptables_ct_state_invalid_dropped_packets_total counter',
      'iptables_localhost_nodeports_accepted_packets_total counter',
      'network_programming_duration_seconds histogram',
      'proxy_healthz_total counter',
      'proxy_livez_total counter',
      'sync_full_proxy_rules_duration_seconds histogram',
      'sync_partial_proxy_rules_duration_seconds histogram',
      'sync_proxy_rules_duration_seconds histogram',
      'sync_proxy_rules_endpoint_changes_pending gauge',
      'sync_proxy_rules_endpoint_changes_total counter',
      'sync_proxy_rules_iptables_last gauge',
      'sync_proxy_rules_iptables_partial_restore_failures_total counter',
      'sync_proxy_rules_iptables_restore_failures_total counter',
      'sync_proxy_rules_iptables_total gauge',
      'sync_proxy_rules_last_queued_timestamp_seconds gauge',
      'sync_proxy_rules_last_timestamp_seconds gauge',
      'sync_proxy_rules_no_local_endpoints_total gauge',
      'sync_proxy_rules_service_changes_pending gauge',
      'sync_proxy_rules_service_changes_total counter',
    ]);
  });

  it.each([
    ['sync_proxy_rules_duration_seconds', E],
    ['sync_full_proxy_rules_duration_seconds', E],
    ['conntrack_reconciler_sync_duration_seconds', E],
    [
      'network_programming_duration_seconds',
      [
        0,
        0.25,
        0.5,
        ...Array.from({ length: 59 }, (_, i) => i + 1),
        ...[60, 65, 70, 75, 80, 85, 90, 95, 100, 105, 110, 115],
        ...[120, 150, 180, 210, 240, 270, 300],
      ],
    ],
  ])('%s has the buckets of kube-proxy', async (name, buckets) => {
    const { registry, metrics } = setUp();
    metrics.syncDone({ family: 'IPv4', full: true, seconds: 1 });
    metrics.conntrackCleaned('IPv4', { seconds: 1, deleted: 0 });
    metrics.syncSucceeded({
      family: 'IPv4',
      at: 1,
      programmingSeconds: [1],
      noLocalEndpoints: { internal: 0, external: 0 },
    });
    const text = await registry.metrics();
    const found = [...text.matchAll(new RegExp(`kubeproxy_${name}_bucket{le="([^"]+)"`, 'g'))].map((match) => match[1]);
    expect(found).toEqual([...buckets.map(String), '+Inf']);
  });

  it('count every sync, and full and partial ones apart', async () => {
    const { metrics, lines } = setUp();
    metrics.syncDone({ family: 'IPv4', full: true, seconds: 2 });
    metrics.syncDone({ family: 'IPv4', full: false, seconds: 0.5 });
    metrics.syncDone({ family: 'IPv6', full: false, seconds: 1 });
    expect(await lines('sync_proxy_rules_duration')).toEqual([
      'sync_proxy_rules_duration_seconds_sum{ip_family="IPv4"} 2.5',
      'sync_proxy_rules_duration_seconds_count{ip_family="IPv4"} 2',
      'sync_proxy_rules_duration_seconds_sum{ip_family="IPv6"} 1',
      'sync_proxy_rules_duration_seconds_count{ip_family="IPv6"} 1',
    ]);
    expect(await lines('sync_full')).toEqual([
      'sync_full_proxy_rules_duration_seconds_sum{ip_family="IPv4"} 2',
      'sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1',
    ]);
    expect(await lines('sync_partial')).toHaveLength(4);
  });

  it('tell when a sync was asked for and when one succeeded, and how long changes took', async () => {
    const { metrics, lines } = setUp();
    metrics.syncQueued('IPv4', 100.5);
    metrics.syncSucceeded({
      family: 'IPv4',
      at: 101.25,
      programmingSeconds: [0.75, 2],
      noLocalEndpoints: { internal: 1, external: 2 },
    });
    expect(await lines('sync_proxy_rules_last')).toEqual([
      'sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"} 101.25',
      'sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"} 100.5',
    ]);
    expect(await lines('network_programming')).toEqual([
      'network_programming_duration_seconds_sum{ip_family="IPv4"} 2.75',
      'network_programming_duration_seconds_count{ip_family="IPv4"} 2',
    ]);
    expect(await lines('sync_proxy_rules_no_local')).toEqual([
      'sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="internal"} 1',
      'sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="external"} 2',
    ]);
  });

  it('show how many rules there are and how many were written', async () => {
    const { metrics, lines } = setUp();
    metrics.rules('IPv6', { filter: 4, nat: 100 }, { filter: 0, nat: 7 });
    expect(await lines('sync_proxy_rules_iptables_total{')).toEqual([
      'sync_proxy_rules_iptables_total{table="filter",ip_family="IPv6"} 4',
      'sync_proxy_rules_iptables_total{table="nat",ip_family="IPv6"} 100',
    ]);
    expect(await lines('sync_proxy_rules_iptables_last')).toEqual([
      'sync_proxy_rules_iptables_last{table="filter",ip_family="IPv6"} 0',
      'sync_proxy_rules_iptables_last{table="nat",ip_family="IPv6"} 7',
    ]);
  });

  it('count refused writes, those of changes twice', async () => {
    const { metrics, lines } = setUp();
    metrics.restoreFailed('IPv4', { partial: false });
    metrics.restoreFailed('IPv4', { partial: true });
    expect(await lines('sync_proxy_rules_iptables_restore')).toEqual([
      'sync_proxy_rules_iptables_restore_failures_total{ip_family="IPv4"} 2',
    ]);
    expect(await lines('sync_proxy_rules_iptables_partial')).toEqual([
      'sync_proxy_rules_iptables_partial_restore_failures_total{ip_family="IPv4"} 1',
    ]);
  });

  it('count changes over both families, and show those that wait', async () => {
    const { metrics, lines } = setUp();
    metrics.serviceChange(1);
    metrics.serviceChange(2);
    metrics.endpointChange(5);
    expect(await lines('sync_proxy_rules_service_changes')).toEqual([
      'sync_proxy_rules_service_changes_pending 2',
      'sync_proxy_rules_service_changes_total 2',
    ]);
    metrics.changesTaken();
    expect(await lines('sync_proxy_rules_endpoint_changes')).toEqual([
      'sync_proxy_rules_endpoint_changes_pending 0',
      'sync_proxy_rules_endpoint_changes_total 1',
    ]);
  });

  it('count conntrack cleanups and repaired chains', async () => {
    const { registry, metrics, lines } = setUp();
    metrics.conntrackCleaned('IPv4', { seconds: 0.25, deleted: 3 });
    metrics.chainsRepaired('IPv4', 'nat', 2);
    expect(await lines('conntrack')).toEqual([
      'conntrack_reconciler_sync_duration_seconds_sum{ip_family="IPv4"} 0.25',
      'conntrack_reconciler_sync_duration_seconds_count{ip_family="IPv4"} 1',
      'conntrack_reconciler_deleted_entries_total{ip_family="IPv4"} 3',
    ]);
    expect(await registry.metrics()).toContain(
      'slicewise_proxier_repaired_chains_total{ip_family="IPv4",table="nat"} 2',
    );
  });

  it('read the packet counters of the kernel at each scrape', async () => {
    const { metrics, lines } = setUp();
    let dropped = 5;
    metrics.showNfacct(async () => ({ ctStateInvalidDropped: dropped, localhostNodePortsAccepted: 1 }));
    expect(await lines('iptables_ct')).toEqual(['iptables_ct_state_invalid_dropped_packets_total 5']);
    dropped = 7;
    expect(await lines('iptables_ct')).toEqual(['iptables_ct_state_invalid_dropped_packets_total 7']);
    expect(await lines('iptables_localhost')).toEqual(['iptables_localhost_nodeports_accepted_packets_total 1']);
  });
});
