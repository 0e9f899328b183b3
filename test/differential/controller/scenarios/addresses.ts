import { dualStack, pod, pods, report, seen, service } from '../actions.ts';
import type { Scenario } from '../scenario.ts';

const both = (i: number) => ({ ips: [`10.1.0.${i + 1}`, `fd00::${i + 1}`] });
const refused = ['127.0.0.5', '169.254.1.1', '224.0.0.7', '0.0.0.0', '::1', 'fe80::1', 'ff02::1', '::'];
/** As many of each family, for upstream's gauges count the one that it happens to take last. */
const odd = [
  '224.0.1.1',
  '239.1.1.1',
  '240.0.0.1',
  '255.255.255.255',
  'ff05::1',
  'fec0::1',
  '64:ff9b::1',
  '2001:db8::1',
];

export const ADDRESSES: Scenario[] = [
  {
    name: 'addresses that slices may not hold',
    steps: [
      {
        step: 'the Pods',
        do: [...pod('good', { ips: ['10.1.0.1'] }), ...pod('bad', { ips: ['127.0.0.5'] })],
      },
      { step: 'the Service', do: [service()] },
      { step: 'the bad one is not ready', do: [report('bad', { ready: false })] },
      { step: 'it gets a good address', do: [report('bad', { ips: ['10.1.0.2'] })] },
    ],
    differs: [
      {
        row: 'invalid-addresses',
        at: {
          'the Service': ['slices', 'writes', 'events'],
          'the bad one is not ready': ['slices', 'events'],
          'it gets a good address': ['writes', 'events'],
        },
      },
      { row: 'trigger-time', only: 'as upstream', at: { 'it gets a good address': ['slices'] } },
    ],
  },
  {
    name: 'more addresses that slices may not hold',
    steps: [
      {
        step: 'the Service and good Pods',
        do: [...pods(2, both), seen, service('web', dualStack)],
        compare: 'endpoints',
      },
      { step: 'link-local', do: [report('p0', { ips: ['169.254.1.1', 'fd00::1'] })] },
      {
        step: 'and the other family too',
        do: [report('p0', { ips: ['169.254.1.1', 'fe80::1'] })],
      },
      { step: 'both good again', do: [report('p0', { ips: ['10.1.0.1', 'fd00::1'] })] },
    ],
    differs: [
      {
        row: 'invalid-addresses',
        at: {
          'link-local': ['slices', 'writes', 'events'],
          'and the other family too': ['slices', 'writes', 'events'],
          'both good again': ['slices', 'writes', 'events'],
        },
      },
    ],
  },
  {
    name: 'every address that slices may not hold',
    steps: [
      { step: 'the Pods', do: [...pods(2, both), ...refused.flatMap((ip, i) => pod(`bad-${i}`, { ips: [ip] }))] },
      { step: 'the Service', do: [service('web', dualStack)] },
    ],
    differs: [
      { row: 'invalid-addresses', at: { 'the Service': ['slices', 'writes', 'events'] } },
      { row: 'event-length', only: 'as upstream', at: { 'the Service': ['events'] } },
    ],
  },
  {
    name: 'addresses that are odd, but allowed',
    steps: [
      { step: 'the Pods', do: odd.flatMap((ip, i) => pod(`odd-${i}`, { ips: [ip] })) },
      { step: 'the Service', do: [service('web', dualStack)] },
    ],
  },
];
