import type { NodeName } from './places.ts';
import { addressOf } from './places.ts';
import type { Situation } from './situations.ts';
import type { Destination } from './world.ts';

const clusterIP: Destination = { kind: 'clusterIP' };
const vip = (node: NodeName): Destination => ({ kind: 'vip', node });
const externalIP = (node: NodeName): Destination => ({ kind: 'externalIP', node });
const nodePort = (node: NodeName): Destination => ({ kind: 'nodePort', node });
const external = { nodePort: true, vips: ['one', 'bare'], externalIPs: ['one', 'bare'] } as const;
const exactly = (place: 'client' | NodeName) => [`${addressOf(place, 'IPv4')}/32`, `${addressOf(place, 'IPv6')}/128`];

const terminating = { ready: false, serving: true, terminating: true };
const zone = (name: string) => ({ hints: { forZones: [{ name }] } });
const node = (name: NodeName) => ({ hints: { forNodes: [{ name }] } });

/** As in situations.ts: load balancers, endpoints that go, hints, and Services that are none of a proxier's business. */
export const MORE_SITUATIONS: readonly Situation[] = [
  {
    title: 'source ranges: others get silence at the VIP, and the node port and external IPs know no ranges',
    ...external,
    spec: { loadBalancerSourceRanges: exactly('client') },
    endpoints: ['a', 'c'],
    rows: [
      ['client', vip('one'), { a: 'one', c: 'one' }],
      ['stranger', vip('one'), 'dropped'],
      ['stranger', vip('bare'), 'dropped'],
      ['d', vip('one'), 'dropped'],
      ['one', vip('one'), 'dropped'],
      ['stranger', nodePort('one'), { a: 'one', c: 'one' }],
      ['stranger', externalIP('one'), { a: 'one', c: 'one' }],
      ['d', clusterIP, { a: 'd', c: 'd' }],
    ],
  },
  {
    title: 'source ranges that contain a node: that node gets through, the others do not',
    ...external,
    spec: { loadBalancerSourceRanges: exactly('one') },
    endpoints: ['a', 'c'],
    rows: [
      ['one', vip('one'), { a: 'one', c: 'one' }],
      ['two', vip('one'), 'dropped'],
      ['client', vip('one'), 'dropped'],
    ],
  },
  {
    title: 'source ranges and external policy Local: allowed clients are seen as themselves',
    ...external,
    spec: { loadBalancerSourceRanges: exactly('client'), externalTrafficPolicy: 'Local' },
    endpoints: ['a', 'c'],
    rows: [
      ['client', vip('one'), { a: 'client' }],
      ['client', vip('bare'), 'dropped'],
      ['stranger', vip('one'), 'dropped'],
    ],
  },
  {
    title: 'source ranges without any endpoint: refused, for everybody',
    ...external,
    spec: { loadBalancerSourceRanges: exactly('client') },
    endpoints: [],
    rows: [
      ['client', vip('one'), 'refused'],
      ['stranger', vip('one'), 'refused'],
    ],
  },
  {
    title: 'a load balancer of ipMode Proxy: its address is not ours, its node port is',
    ...external,
    externalIPs: [],
    ipMode: 'Proxy',
    endpoints: ['a', 'c'],
    rows: [
      ['client', vip('one'), 'untouched'],
      ['d', vip('one'), 'untouched'],
      ['client', nodePort('one'), { a: 'one', c: 'one' }],
    ],
  },
  {
    title: 'a load balancer known by its name only: its address is not ours, its node port is',
    ...external,
    externalIPs: [],
    byHostname: true,
    endpoints: ['a', 'c'],
    rows: [
      ['client', vip('one'), 'untouched'],
      ['client', nodePort('one'), { a: 'one', c: 'one' }],
    ],
  },
  {
    title: 'an ExternalName Service, even one with an address, has no rules',
    spec: { type: 'ExternalName', externalName: 'example.com' },
    endpoints: ['a'],
    rows: [['d', clusterIP, 'untouched']],
  },
  {
    title: 'ready endpoints are preferred to terminating ones',
    ...external,
    endpoints: ['a', { at: 'c', conditions: terminating }],
    rows: [
      ['d', clusterIP, { a: 'd' }],
      ['client', nodePort('bare'), { a: 'bare' }],
    ],
  },
  {
    title: 'when no endpoint is ready, those that terminate but still serve are used',
    ...external,
    endpoints: [
      { at: 'a', conditions: terminating },
      { at: 'b', conditions: { ready: false, serving: false, terminating: true } },
      { at: 'c', conditions: terminating },
    ],
    rows: [
      ['d', clusterIP, { a: 'd', c: 'd' }],
      ['client', vip('bare'), { a: 'bare', c: 'bare' }],
    ],
  },
  {
    title: 'policy Local falls back to terminating endpoints here while others are ready elsewhere',
    ...external,
    spec: { externalTrafficPolicy: 'Local' },
    endpoints: [{ at: 'a', conditions: terminating }, 'c'],
    rows: [
      ['client', vip('one'), { a: 'client' }],
      ['client', nodePort('two'), { c: 'client' }],
      ['d', clusterIP, { c: 'd' }],
      ['b', vip('one'), { c: 'b' }],
    ],
  },
  {
    title: 'zone hints: a zone that has some keeps to them, one that has none uses all',
    endpoints: [
      { at: 'a', ...zone('zone-a') },
      { at: 'c', ...zone('zone-b') },
    ],
    rows: [
      ['b', clusterIP, { a: 'b' }],
      ['c', clusterIP, { c: 'two' }],
      ['d', clusterIP, { a: 'd', c: 'd' }],
    ],
  },
  {
    title: 'node hints: a node that has some keeps to them, one that has none uses all',
    endpoints: [
      { at: 'a', ...node('two') },
      { at: 'c', ...node('one') },
    ],
    rows: [
      ['b', clusterIP, { c: 'b' }],
      ['c', clusterIP, { a: 'c' }],
      ['d', clusterIP, { a: 'd', c: 'd' }],
    ],
  },
  {
    title: 'hints that one ready endpoint lacks count for nothing',
    endpoints: [{ at: 'a', ...zone('zone-a') }, 'c'],
    rows: [['b', clusterIP, { a: 'b', c: 'b' }]],
  },
];
