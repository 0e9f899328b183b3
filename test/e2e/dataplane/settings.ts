import type { IPFamily } from '../../../src/objects/meta.ts';
import type { ProxyRulesConfig } from '../../../src/proxy/config-types.ts';
import { type NodeName, nodeOf } from './places.ts';
import type { Situation } from './situations.ts';
import type { Destination } from './world.ts';

/** A configuration of the proxier, and what it changes for packets. */
export interface Setting {
  title: string;
  change: (config: ProxyRulesConfig) => Partial<ProxyRulesConfig>;
  situations: readonly Situation[];
}

const clusterIP: Destination = { kind: 'clusterIP' };
const nodePort = (node: NodeName): Destination => ({ kind: 'nodePort', node });
const vip = (node: NodeName): Destination => ({ kind: 'vip', node });
const loopback: Destination = { kind: 'nodePort', node: 'one', address: { IPv4: '127.0.0.1', IPv6: '::1' } };
/** Only IPv4 has an address of its own there. */
const gateway: Destination = { kind: 'nodePort', node: 'one', address: { IPv4: nodeOf('one').podGateway, IPv6: '' } };
const podCIDR = ({ nodeName, ipFamily }: ProxyRulesConfig) =>
  nodeOf(nodeName as NodeName)[ipFamily === 'IPv4' ? 'podCIDR' : 'podCIDR6'];

const plain: Omit<Situation, 'title' | 'rows'> = { endpoints: ['a', 'c'], nodePort: true };
const local: Omit<Situation, 'title' | 'rows'> = {
  ...plain,
  vips: ['one', 'bare'],
  spec: { externalTrafficPolicy: 'Local' },
};
const WIRE = ['172.18.0.0/24', 'fd00:172:18::/64'];
const PODS = ['10.244.0.0/16', 'fd00:10:244::/48'];

export const SETTINGS: readonly Setting[] = [
  {
    title: 'masqueradeAll',
    change: () => ({ masqueradeAll: true }),
    situations: [
      {
        ...plain,
        title: 'masquerades what Pods send to a cluster IP too',
        rows: [
          ['d', clusterIP, { a: 'bare', c: 'bare' }],
          ['client', clusterIP, { a: 'one', c: 'one' }],
        ],
      },
    ],
  },
  {
    title: 'another masquerade bit',
    change: () => ({ masqueradeMark: '0x00008000' }),
    situations: [
      {
        ...plain,
        title: 'serves as well',
        rows: [
          ['client', nodePort('bare'), { a: 'bare', c: 'bare' }],
          ['a', clusterIP, { a: 'one', c: 'a' }],
        ],
      },
    ],
  },
  {
    title: 'detectLocalMode without a value for this family',
    change: () => ({ localDetector: undefined }),
    situations: [
      {
        ...plain,
        endpoints: ['a'],
        title: 'nobody is masqueraded on the way to a cluster IP',
        rows: [
          ['client', clusterIP, { a: 'client' }],
          ['d', clusterIP, { a: 'd' }],
        ],
      },
      {
        ...local,
        title: 'Pods have no short cut past external policy Local, the node itself has',
        rows: [
          ['d', vip('bare'), 'dropped'],
          ['b', vip('one'), { a: 'b' }],
          ['bare', vip('bare'), { a: 'bare', c: 'bare' }],
        ],
      },
    ],
  },
  {
    title: 'detectLocalMode NodeCIDR',
    change: (config) => ({ localDetector: { mode: 'NodeCIDR', value: podCIDR(config) } }),
    situations: [
      {
        ...local,
        title: 'Pods of this node are seen as themselves and have the short cut',
        rows: [
          ['d', clusterIP, { a: 'd', c: 'd' }],
          ['d', vip('bare'), { a: 'd', c: 'd' }],
          ['client', clusterIP, { a: 'one', c: 'one' }],
        ],
      },
    ],
  },
  {
    title: 'detectLocalMode InterfaceNamePrefix',
    change: () => ({ localDetector: { mode: 'InterfaceNamePrefix', value: 'veth' } }),
    situations: [
      {
        ...local,
        title: 'what comes in by such an interface is local, the node’s own traffic is masqueraded',
        rows: [
          ['d', clusterIP, { a: 'd', c: 'd' }],
          ['d', vip('bare'), { a: 'd', c: 'd' }],
          ['bare', clusterIP, { a: 'bare', c: 'bare' }],
          ['client', clusterIP, { a: 'one', c: 'one' }],
        ],
      },
    ],
  },
  {
    title: 'detectLocalMode BridgeInterface',
    // The name of Pod a's interface on node one; the other Pods' are of other names.
    change: () => ({ localDetector: { mode: 'BridgeInterface', value: 'veth1' } }),
    situations: [
      {
        ...plain,
        endpoints: ['c'],
        title: 'only what comes in by that very interface is local',
        rows: [
          ['a', clusterIP, { c: 'a' }],
          ['b', clusterIP, { c: 'one' }],
        ],
      },
    ],
  },
  {
    title: 'localhostNodePorts on',
    change: () => ({}),
    situations: [
      {
        ...plain,
        family: 'IPv4',
        title: 'a node port answers on 127.0.0.1',
        rows: [['one', loopback, { a: 'one', c: 'one' }]],
      },
      {
        ...local,
        family: 'IPv4',
        title: 'also with external policy Local',
        rows: [['one', loopback, { a: 'one', c: 'one' }]],
      },
      { ...plain, family: 'IPv6', title: 'a node port never answers on ::1', rows: [['one', loopback, 'refused']] },
    ],
  },
  {
    title: 'localhostNodePorts off',
    change: () => ({ localhostNodePorts: false }),
    situations: [
      {
        ...plain,
        title: 'a node port does not answer on loopback, only on other addresses',
        rows: [
          ['one', loopback, 'refused'],
          ['one', nodePort('one'), { a: 'one', c: 'one' }],
        ],
      },
    ],
  },
  {
    title: 'nodePortAddresses of the network between nodes',
    change: () => ({ nodePortAddresses: WIRE, localhostNodePorts: false }),
    situations: [
      {
        ...plain,
        title: 'a node port answers there and nowhere else',
        rows: [
          ['client', nodePort('one'), { a: 'one', c: 'one' }],
          ['one', loopback, 'refused'],
        ],
      },
      { ...plain, family: 'IPv4', title: 'not even towards Pods', rows: [['b', gateway, 'refused']] },
    ],
  },
  {
    title: 'nodePortAddresses of the Pods’ network',
    change: () => ({ nodePortAddresses: PODS, localhostNodePorts: false }),
    situations: [
      { ...plain, title: 'a node port is closed to outsiders', rows: [['client', nodePort('one'), 'refused']] },
      { ...plain, family: 'IPv4', title: 'and open to Pods', rows: [['b', gateway, { a: 'one', c: 'one' }]] },
    ],
  },
  {
    title: 'nodePortAddresses of one family only',
    change: ({ ipFamily }: { ipFamily: IPFamily }) => ({
      nodePortAddresses: PODS.filter((cidr) => cidr.includes(':') === (ipFamily === 'IPv4')),
      localhostNodePorts: false,
    }),
    situations: [
      {
        ...plain,
        title: 'leaves the other family open on every address',
        rows: [['client', nodePort('one'), { a: 'one', c: 'one' }]],
      },
    ],
  },
  {
    title: 'the gate AllowServiceExternalIPs off',
    change: ({ featureGates }) => ({ featureGates: { ...featureGates, AllowServiceExternalIPs: false } }),
    situations: [
      {
        ...plain,
        externalIPs: ['one'],
        title: 'external IPs are left alone',
        rows: [
          ['client', { kind: 'externalIP', node: 'one' }, 'untouched'],
          ['client', nodePort('one'), { a: 'one', c: 'one' }],
        ],
      },
    ],
  },
  {
    title: 'connection tracking that is strict about TCP',
    change: () => ({}),
    situations: [
      {
        ...plain,
        title: 'drops what it saw only half of',
        rows: [['wanderer', { kind: 'clusterIP', port: 81 }, 'dropped']],
      },
    ],
  },
  {
    title: 'connection tracking that is liberal about TCP',
    change: () => ({ conntrackTCPLiberal: true }),
    situations: [
      {
        ...plain,
        title: 'lets through what it saw only half of',
        rows: [['wanderer', { kind: 'clusterIP', port: 81 }, 'untouched']],
      },
    ],
  },
];
