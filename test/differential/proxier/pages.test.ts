import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyObject } from './object-server.ts';
import { NODE, type Page, Pair, SIDES, type Side, type Snapshot } from './pair.ts';

const kubeProxy = join(process.env.KUBEBUILDER_ASSETS ?? '/nonexistent', 'kube-proxy');
const there = existsSync(kubeProxy);
if (!there)
  console.log("skipped: the proxier's pages against kube-proxy's: KUBEBUILDER_ASSETS names no folder with kube-proxy");

const HEALTH = 'http://127.0.0.1:10256';
const METRICS = 'http://127.0.0.1:10249';

/** A load balancer with health checks, one without a local endpoint, and ready, terminating and remote endpoints. */
const snapshot: Snapshot = {
  services: [1, 2].map((i) => ({
    metadata: { namespace: 'web', name: `shop-${i}` },
    spec: {
      type: 'LoadBalancer',
      clusterIP: `172.30.1.${i}`,
      clusterIPs: [`172.30.1.${i}`, `fd00:30:1::${i}`],
      ipFamilies: ['IPv4', 'IPv6'],
      ports: [
        { name: 'http', protocol: 'TCP', port: 80, nodePort: 30080 + i },
        { name: 'https', protocol: 'TCP', port: 443, nodePort: 30090 + i },
        { name: 'quic', protocol: 'UDP', port: 443, nodePort: 30090 + i },
      ],
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: i === 2 ? 'Local' : 'Cluster',
      healthCheckNodePort: 32000 + i,
    },
    status: { loadBalancer: { ingress: [{ ip: `203.0.113.${i}` }] } },
  })),
  slices: [1, 2].map((i) => ({
    metadata: { namespace: 'web', name: `shop-${i}-a`, labels: { 'kubernetes.io/service-name': `shop-${i}` } },
    addressType: 'IPv4',
    ports: [
      { name: 'http', protocol: 'TCP', port: 8080 },
      { name: 'https', protocol: 'TCP', port: 8443 },
      { name: 'quic', protocol: 'UDP', port: 8443 },
    ],
    endpoints: [
      { addresses: [`10.244.3.${i * 10}`], nodeName: i === 1 ? NODE : 'n2', conditions: { ready: true } },
      { addresses: [`10.244.3.${i * 10 + 1}`], nodeName: i === 1 ? NODE : 'n2', conditions: { ready: true } },
      {
        addresses: [`10.244.3.${i * 10 + 2}`],
        nodeName: NODE,
        conditions: { ready: false, serving: true, terminating: true },
      },
    ],
  })),
};

function timed(slice: AnyObject): AnyObject {
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': new Date().toISOString() };
  return { ...slice, metadata: { ...slice.metadata, annotations } };
}

type Both<T> = Record<Side, T>;

/** Name -> its type, label names and bucket bounds. */
function families(page: string): Map<string, { type: string; labels: string; buckets: string; sampled: boolean }> {
  const found = new Map<string, { type: string; labels: Set<string>; buckets: Set<string>; sampled: boolean }>();
  for (const line of page.split('\n')) {
    const [, name = '', type = ''] = /^# TYPE (kubeproxy_\S+) (\S+)$/.exec(line) ?? [];
    if (name) found.set(name, { type, labels: new Set(), buckets: new Set(), sampled: false });
    const [, series = '', labels = ''] = /^(kubeproxy_[a-z0-9_]+)(?:\{(.*)\})? /.exec(line) ?? [];
    const family = found.get(series) ?? found.get(series.replace(/_(bucket|sum|count)$/, ''));
    if (family) family.sampled = true;
    for (const [, label = '', value = ''] of labels.matchAll(/([a-z_]+)="([^"]*)"/g)) {
      if (label === 'le') family?.buckets.add(value);
      else family?.labels.add(label);
    }
  }
  return new Map(
    [...found].map(([name, { type, labels, buckets, sampled: has }]) => [
      name,
      { type, labels: [...labels].sort().join(), buckets: [...buckets].join(), sampled: has },
    ]),
  );
}

/** Without families that have no samples, which only some servers show. */
function sampled(page: string): object {
  return Object.fromEntries([...families(page)].filter(([, { sampled: has }]) => has));
}

function values(page: string, metric: string): string[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`kubeproxy_${metric}{`))
    .map(normal)
    .sort();
}

/** Labels in one order. */
function normal(line: string): string {
  const [, name = '', labels = '', value = ''] = /^(\S+)\{(.*)\} (\S+)$/.exec(line) ?? [];
  return `${name}{${labels.split(',').sort().join()}} ${value}`;
}

describe.runIf(there)("The proxier's pages against kube-proxy's", () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.open(kubeProxy);
    await pair.start({ clusterCIDR: '10.244.0.0/16', iptables: { minSyncPeriod: '10ms' } });
    await pair.show(snapshot);
    // So that more metrics have something to say: a change with a time, of Services with UDP.
    await pair.show({ ...snapshot, slices: snapshot.slices.map(timed) });
    await pair.rules();
  });
  afterAll(async () => {
    await pair?.stop();
    await pair?.close();
  });

  async function both(url: string, method?: string): Promise<Both<Page>> {
    const [upstream, slicewise] = await Promise.all(SIDES.map((side) => pair.get(side, url, method)));
    if (!upstream || !slicewise) throw new Error('no page');
    return { upstream, slicewise };
  }

  async function same(url: string, method?: string): Promise<void> {
    const pages = await both(url, method);
    expect(comparable(pages.slicewise)).toEqual(comparable(pages.upstream));
  }

  it.each([
    [`${HEALTH}/healthz`, 'GET'],
    [`${HEALTH}/livez`, 'GET'],
    [`${HEALTH}/healthz`, 'POST'],
    [`${HEALTH}/healthz`, 'HEAD'],
    [`${METRICS}/healthz`, 'GET'],
    [`${METRICS}/proxyMode`, 'GET'],
    ['http://127.0.0.1:32001/', 'GET'],
    ['http://127.0.0.1:32001/any/path?x', 'POST'],
    ['http://127.0.0.1:32002/', 'GET'],
    ['http://[::1]:32001/', 'GET'],
    ['http://[::1]:32002/', 'HEAD'],
  ])('%s answers %s alike', (url, method) => same(url, method));

  it.each([`${HEALTH}/`, `${METRICS}/other`])('%s is not found', async (url) => {
    const { upstream, slicewise } = await both(url);
    expect([slicewise.status, upstream.status]).toEqual([404, 404]);
  });

  it('/configz shows the same configuration', async () => {
    const { upstream, slicewise } = await both(`${METRICS}/configz`);
    expect(JSON.parse(slicewise.body)).toEqual(JSON.parse(upstream.body));
    expect(slicewise.headers['content-type']).toBe(upstream.headers['content-type']);
  });

  it('/metrics has the same families, labels and buckets', async () => {
    const { upstream, slicewise } = await both(`${METRICS}/metrics`);
    const theirs = sampled(upstream.body.replace(/^.*nftables.*$/gm, ''));
    expect(Object.keys(theirs)).toContain('kubeproxy_network_programming_duration_seconds');
    expect(sampled(slicewise.body)).toEqual(theirs);
    for (const metric of ['sync_proxy_rules_iptables_total', 'sync_proxy_rules_no_local_endpoints_total'])
      expect(values(slicewise.body, metric)).toEqual(values(upstream.body, metric));
  });

  it('the first Event says that it starts', async () => {
    while (pair.server.posted.length < 2) await delay(50);
    const [first, second] = pair.server.posted.map(({ body }) => {
      const { metadata: _m, eventTime: _t, note = '', reportingInstance, ...rest } = body as Record<string, unknown>;
      for (const name of Object.keys(rest)) if (name.startsWith('deprecated')) delete rest[name];
      return { ...rest, note, reportingInstance: String(reportingInstance).replace(/-[^-]*$/, '') };
    });
    expect(first).toEqual(second);
  });

  it.each([
    [
      'a taint of the cluster autoscaler',
      { spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } },
    ],
    ['a deletion that has begun', { metadata: { deletionTimestamp: '2030-01-01T00:00:00Z' } }],
    [
      'a taint that only keeps new Pods away',
      { spec: { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }], unschedulable: true } },
    ],
  ])('a Node with %s is judged alike', async (_what, draft) => {
    pair.setNode(draft);
    await delay(500);
    await same(`${HEALTH}/healthz`);
    await same(`${HEALTH}/livez`);
    await same('http://127.0.0.1:32001/');
    pair.setNode({});
    await delay(300);
  });

  it('a Node that is deleted is judged by what it was last', async () => {
    pair.server.replace('nodes', []);
    await delay(500);
    await same(`${HEALTH}/healthz`);
    pair.setNode({});
  });
});

/** Without times, and without the headers that every server of its kind adds. */
function comparable({ status, headers, body }: Page): object {
  const {
    date: _d,
    connection: _c,
    'keep-alive': _k,
    'transfer-encoding': _t,
    'content-length': _l,
    ...rest
  } = headers;
  return { status, headers: rest, body: body.replace(/"(lastUpdated|currentTime)":"[^"]*Z"/g, '"$1":"TIME"') };
}
