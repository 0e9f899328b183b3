import type { IPFamily } from '../../../src/objects/meta.ts';
import type { Draft } from './cluster.ts';
import type { Outcome } from './outcome.ts';
import type { NodeName, Place } from './places.ts';
import type { Destination } from './world.ts';

/** A Service in one state of the world, and what becomes of packets to it. */
export interface Situation extends Omit<Draft, 'number' | 'name'> {
  title: string;
  /** Absent: both. */
  family?: IPFamily;
  rows: readonly (readonly [from: Place, to: Destination, expected: Outcome])[];
}

const clusterIP: Destination = { kind: 'clusterIP' };
const vip = (node: NodeName): Destination => ({ kind: 'vip', node });
const externalIP = (node: NodeName): Destination => ({ kind: 'externalIP', node });
const nodePort = (node: NodeName): Destination => ({ kind: 'nodePort', node });
/** Reachable in every way there is, from outside through a node with endpoints and through one without. */
const external = { nodePort: true, vips: ['one', 'bare'], externalIPs: ['one', 'bare'] } as const;
const everyWay = (node: NodeName): Destination[] => [nodePort(node), vip(node), externalIP(node)];
const rows = (from: Place, to: readonly Destination[], expected: Outcome) =>
  to.map((destination) => [from, destination, expected] as const);

/**
 * Pods a and b are on node one, c on node two, d on node bare, which never has endpoints. `{ a: 'd' }`: a answered, and saw
 * d asking. Traffic from outside to a cluster IP comes in through node one.
 */
export const SITUATIONS: readonly Situation[] = [
  {
    title:
      'a ClusterIP with endpoints: Pods are seen as themselves, nodes and outsiders are masqueraded, so is a hairpin',
    endpoints: ['a', 'c'],
    rows: [
      ['d', clusterIP, { a: 'd', c: 'd' }],
      ['b', clusterIP, { a: 'b', c: 'b' }],
      ['a', clusterIP, { a: 'one', c: 'a' }],
      ['bare', clusterIP, { a: 'bare', c: 'bare' }],
      ['one', clusterIP, { a: 'one', c: 'one' }],
      ['client', clusterIP, { a: 'one', c: 'one' }],
    ],
  },
  {
    title: 'another port of a cluster IP is nobody else’s business',
    endpoints: ['a', 'c'],
    rows: [
      ['d', { kind: 'clusterIP', port: 81 }, 'untouched'],
      ['client', { kind: 'clusterIP', port: 81 }, 'untouched'],
    ],
  },
  {
    title: 'a ClusterIP with one endpoint only',
    endpoints: ['c'],
    rows: [
      ['a', clusterIP, { c: 'a' }],
      ['c', clusterIP, { c: 'two' }],
      ['client', clusterIP, { c: 'one' }],
    ],
  },
  {
    title: 'an endpoint in a node’s own network',
    endpoints: ['two'],
    nodePort: true,
    rows: [
      ['a', clusterIP, { two: 'a' }],
      ['two', clusterIP, { two: 'two' }],
      ['client', nodePort('one'), { two: 'one' }],
    ],
  },
  {
    title: 'a ClusterIP without endpoints refuses at once',
    endpoints: [],
    rows: [
      ['d', clusterIP, 'refused'],
      ['bare', clusterIP, 'refused'],
      ['client', clusterIP, 'refused'],
    ],
  },
  {
    title: 'endpoints that are neither ready nor terminating are not used',
    endpoints: [
      { at: 'a', conditions: { ready: false, serving: false } },
      { at: 'c', conditions: { ready: false } },
    ],
    rows: [['d', clusterIP, 'refused']],
  },
  {
    title: 'internal policy Local with endpoints here: only those',
    spec: { internalTrafficPolicy: 'Local' },
    endpoints: ['a', 'c'],
    rows: [
      ['b', clusterIP, { a: 'b' }],
      ['one', clusterIP, { a: 'one' }],
      ['c', clusterIP, { c: 'two' }],
      ['client', clusterIP, { a: 'one' }],
    ],
  },
  {
    title: 'internal policy Local with endpoints elsewhere only: silence',
    spec: { internalTrafficPolicy: 'Local' },
    endpoints: ['c'],
    rows: [
      ['d', clusterIP, 'dropped'],
      ['bare', clusterIP, 'dropped'],
      ['client', clusterIP, 'dropped'],
      ['c', clusterIP, { c: 'two' }],
    ],
  },
  {
    title: 'internal policy Local without any endpoint: refused',
    spec: { internalTrafficPolicy: 'Local' },
    endpoints: [],
    rows: [
      ['d', clusterIP, 'refused'],
      ['bare', clusterIP, 'refused'],
    ],
  },
  {
    title: 'external traffic, policy Cluster: any endpoint, masqueraded by the node it came to, from wherever',
    ...external,
    endpoints: ['a', 'c'],
    rows: [
      ...rows('client', everyWay('one'), { a: 'one', c: 'one' }),
      ...rows('client', everyWay('bare'), { a: 'bare', c: 'bare' }),
      ...rows('d', [vip('one'), vip('bare'), externalIP('one'), nodePort('bare')], { a: 'bare', c: 'bare' }),
      ...rows('bare', [vip('one'), externalIP('one'), nodePort('bare')], { a: 'bare', c: 'bare' }),
      ['d', nodePort('one'), { a: 'one', c: 'one' }],
      ['client', clusterIP, { a: 'one', c: 'one' }],
      ['d', clusterIP, { a: 'd', c: 'd' }],
    ],
  },
  {
    title: 'external traffic, policy Local, endpoints here: only those, and the client is seen as itself',
    ...external,
    spec: { externalTrafficPolicy: 'Local' },
    endpoints: ['a', 'c'],
    rows: [
      ...rows('client', everyWay('one'), { a: 'client' }),
      ['client', nodePort('two'), { c: 'client' }],
      // Traffic that comes from inside is short-circuited to every endpoint, wherever the Pod's node is.
      ...rows('b', everyWay('one'), { a: 'b', c: 'b' }),
      ...rows('one', everyWay('one'), { a: 'one', c: 'one' }),
      ['d', clusterIP, { a: 'd', c: 'd' }],
    ],
  },
  {
    title:
      'external traffic, policy Local, endpoints elsewhere only: silence for outsiders, all endpoints for insiders',
    ...external,
    spec: { externalTrafficPolicy: 'Local' },
    endpoints: ['a', 'c'],
    rows: [
      ...rows('client', everyWay('bare'), 'dropped'),
      ...rows('d', everyWay('bare'), { a: 'd', c: 'd' }),
      ...rows('bare', everyWay('bare'), { a: 'bare', c: 'bare' }),
      ['d', clusterIP, { a: 'd', c: 'd' }],
    ],
  },
  {
    title: 'external traffic without any endpoint is refused, whatever the policy',
    ...external,
    spec: { externalTrafficPolicy: 'Local' },
    endpoints: [],
    rows: [
      ...rows('client', [...everyWay('one'), ...everyWay('bare'), clusterIP], 'refused'),
      ...rows('d', [...everyWay('bare'), clusterIP], 'refused'),
    ],
  },
  {
    title: 'external traffic without any endpoint, policy Cluster: refused',
    ...external,
    endpoints: [],
    rows: rows('client', everyWay('one'), 'refused'),
  },
  {
    title: 'internal policy Local and external policy Cluster, endpoints elsewhere only',
    ...external,
    spec: { internalTrafficPolicy: 'Local' },
    endpoints: ['a', 'c'],
    rows: [
      ...rows('d', [clusterIP], 'dropped'),
      ...rows('client', everyWay('bare'), { a: 'bare', c: 'bare' }),
      ['b', clusterIP, { a: 'b' }],
    ],
  },
  {
    title: 'the client’s address is preserved by both policies Local, and each keeps to the endpoints here',
    ...external,
    spec: { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' },
    endpoints: ['a', 'c'],
    rows: [
      ...rows('stranger', everyWay('one'), { a: 'stranger' }),
      ['b', clusterIP, { a: 'b' }],
      ['b', vip('one'), { a: 'b', c: 'b' }],
    ],
  },
];
