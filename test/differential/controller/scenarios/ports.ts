import { patchService, pod, pods, poke, report, seen, service } from '../actions.ts';
import type { Scenario } from '../scenario.ts';

const named = (port: number, protocol = 'TCP') => [{ name: 'http', containerPort: port, protocol }];

export const PORTS: Scenario[] = [
  {
    name: 'named ports that differ from Pod to Pod',
    steps: [
      {
        step: 'the Pods',
        do: [
          ...pod('a', { ips: ['10.1.0.1'], ports: named(8080) }),
          ...pod('b', { ips: ['10.1.0.2'], ports: named(9090) }),
          ...pod('c', { ips: ['10.1.0.3'], ports: named(8080) }),
          ...pod('udp', { ips: ['10.1.0.4'], ports: named(8080, 'UDP') }),
          ...pod('none', { ips: ['10.1.0.5'] }),
        ],
      },
      {
        step: 'the Service',
        do: [
          service('web', {
            ports: [
              { name: 'web', port: 80, targetPort: 'http' },
              { name: 'admin', port: 81, targetPort: 9000 },
            ],
          }),
        ],
      },
      { step: 'a Pod changes', do: [report('b', { ready: false })] },
      { step: 'one Pod of a group is left out', do: [report('none', { ips: [] })] },
      {
        step: 'a number for the name',
        do: [patchService({ spec: { ports: [{ name: 'web', port: 80, targetPort: 8080 }] } })],
        compare: 'dealt',
      },
      {
        step: 'the name again, and only that',
        do: [patchService({ spec: { ports: [{ name: 'web', port: 80, targetPort: 'http' }] } })],
        compare: 'dealt',
      },
      {
        step: 'a name that no Pod has',
        do: [patchService({ spec: { ports: [{ name: 'web', port: 80, targetPort: 'grpc' }] } })],
        compare: 'dealt',
      },
      { step: 'synced again', do: [poke()] },
    ],
  },
  {
    name: 'ports of sidecars',
    steps: [
      {
        step: 'the Pods',
        do: [
          ...pod('side', { ips: ['10.1.0.1'], sidecarPorts: named(15000) }),
          ...pod('both', { ips: ['10.1.0.2'], ports: named(8080), sidecarPorts: named(15000) }),
        ],
      },
      { step: 'the Service', do: [service('web', { ports: [{ port: 80, targetPort: 'http' }] })] },
    ],
  },
  {
    name: 'several ports and protocols',
    steps: [
      {
        step: 'created',
        do: [
          ...pods(2),
          seen,
          service('web', {
            ports: [
              { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
              { name: 'dns-tcp', port: 53, targetPort: 5353, protocol: 'TCP' },
              { name: 'sctp', port: 99, protocol: 'SCTP' },
              { name: 'web', port: 80, appProtocol: 'kubernetes.io/h2c' },
            ],
          }),
        ],
        compare: 'endpoints',
      },
      {
        step: 'other port numbers of the Service only',
        do: [
          patchService({
            spec: { ports: [{ name: 'web', port: 8080, targetPort: 80, appProtocol: 'kubernetes.io/h2c' }] },
          }),
        ],
      },
      {
        step: 'the same target under another port',
        do: [
          patchService({
            spec: { ports: [{ name: 'web', port: 9090, targetPort: 80, appProtocol: 'kubernetes.io/h2c' }] },
          }),
        ],
      },
      {
        step: 'another application protocol',
        do: [patchService({ spec: { ports: [{ name: 'web', port: 9090, targetPort: 80, appProtocol: 'http' }] } })],
      },
      { step: 'none', do: [patchService({ spec: { ports: [{ name: 'web', port: 9090, targetPort: 80 }] } })] },
      { step: 'another name', do: [patchService({ spec: { ports: [{ name: 'http', port: 9090, targetPort: 80 }] } })] },
    ],
  },
  {
    name: 'recycled slices and what others have put on them',
    steps: [
      { step: 'created', do: [...pods(2), seen, service()], compare: 'endpoints' },
      {
        step: 'others mark the slice',
        do: [
          {
            op: 'edit slices',
            service: 'web',
            patch: { metadata: { annotations: { mine: 'x' }, finalizers: ['example.com/hold'] } },
          },
        ],
      },
      { step: 'a Pod changes', do: [report('p0', { ready: false })] },
      { step: 'other ports', do: [patchService({ spec: { ports: [{ name: 'http', port: 80, targetPort: 9090 }] } })] },
      { step: 'no Pod matches', do: [patchService({ spec: { selector: { app: 'other' } } })] },
    ],
    differs: [{ row: 'recycling', at: { 'other ports': ['slices'], 'no Pod matches': ['slices'] } }],
  },
];
