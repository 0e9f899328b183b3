import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProjectionError } from '../../../src/kube/errors.ts';
import { decodeEndpointSlice } from '../../../src/kube/proto/endpointslices.ts';
import { decodeNode } from '../../../src/kube/proto/nodes.ts';
import { decodePod } from '../../../src/kube/proto/pods.ts';
import { ProtobufError } from '../../../src/kube/proto/reader.ts';
import { decodeService } from '../../../src/kube/proto/services.ts';
import { bytes, fixed64, int, map, message } from '../support/protobuf.ts';

const time = (field: number, seconds: number) => message(field, int(1, seconds), int(2, 0));
const name = (text: string) => message(1, bytes(1, text));
const join = (...fields: Buffer[]) => Buffer.concat(fields);

/** ObjectMeta as the server writes it: every field that is no pointer is there, be it empty. */
const fullMeta = message(
  1,
  bytes(1, 'web-1'),
  bytes(2, ''),
  bytes(3, 'shop'),
  bytes(4, ''),
  bytes(5, 'u1'),
  bytes(6, '7'),
  int(7, 0),
  time(8, 1767225600),
  time(9, 1767225605),
  map(11, { app: 'web', empty: '' }),
  map(12, { note: '€', 'kubectl.kubernetes.io/last-applied-configuration': '{}' }),
  message(13, bytes(1, 'ReplicaSet'), bytes(3, 'web'), bytes(4, 'u0'), bytes(5, 'apps/v1'), int(6, 1), int(7, 0)),
  bytes(14, 'finalizer'),
  message(17, bytes(1, 'kubelet')),
);
const plainMeta = {
  name: 'web-1',
  namespace: 'shop',
  uid: 'u1',
  resourceVersion: '7',
  creationTimestamp: '2026-01-01T00:00:00Z',
  deletionTimestamp: '2026-01-01T00:00:05Z',
  labels: { app: 'web', empty: '' },
};
const ownedMeta = {
  ...plainMeta,
  annotations: { note: '€' },
  ownerReferences: [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u0', controller: true, blockOwnerDeletion: false },
  ],
};

describe('a Pod', () => {
  it('is read without what is empty, and without containers that have no ports', () => {
    const port = (portName: string, number: number, protocol: string) =>
      message(6, bytes(1, portName), int(2, 0), int(3, number), bytes(4, protocol), bytes(5, ''));
    const spec = message(
      2,
      message(2, bytes(1, 'main'), bytes(2, 'image'), port('http', 80, 'TCP'), port('', 81, 'UDP')),
      message(2, bytes(1, 'quiet')),
      bytes(10, 'node-1'),
      int(11, 0),
      bytes(16, ''),
      bytes(17, 'sub'),
      message(20, bytes(1, 'setup'), port('x', 1, 'TCP')),
      message(20, bytes(1, 'sidecar'), port('proxy', 15001, 'TCP'), bytes(24, 'Always')),
    );
    const status = message(
      3,
      bytes(1, 'Running'),
      message(2, bytes(1, 'Initialized'), bytes(2, 'True')),
      message(2, bytes(1, 'Ready'), bytes(2, 'False'), message(3), time(4, 1767225601)),
      bytes(6, '10.0.0.1'),
      message(12, bytes(1, '10.0.0.1')),
      message(12, bytes(1, 'fd00::1')),
    );
    expect(decodePod(join(fullMeta, spec, status))).toEqual({
      metadata: plainMeta,
      spec: {
        nodeName: 'node-1',
        subdomain: 'sub',
        containers: [
          {
            name: 'main',
            ports: [
              { name: 'http', containerPort: 80, protocol: 'TCP' },
              { containerPort: 81, protocol: 'UDP' },
            ],
          },
        ],
        initContainers: [
          {
            name: 'sidecar',
            restartPolicy: 'Always',
            ports: [{ name: 'proxy', containerPort: 15001, protocol: 'TCP' }],
          },
        ],
      },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:01Z' }],
      },
    });
  });

  it('shares its labels, containers and readiness with Pods for which they read the same, whatever else differs', () => {
    const podOf = (podName: string, ready: string, mount: string) =>
      decodePod(
        join(
          message(1, bytes(1, podName), bytes(3, 'shop'), map(11, { app: 'web', tier: 'front' })),
          message(
            2,
            message(2, bytes(1, 'main'), message(6, int(3, 80), bytes(4, 'TCP')), message(9, bytes(1, mount))),
            message(2, bytes(1, 'proxy'), bytes(2, mount), message(6, int(3, 81))),
          ),
          message(3, message(2, bytes(1, 'Ready'), bytes(2, ready), time(4, 1767225601))),
        ),
      );
    const [a, b, c] = [podOf('a', 'True', 'x'), podOf('b', 'True', 'y'), podOf('c', 'False', 'z')];
    expect(b.metadata.labels).toBe(a.metadata.labels);
    expect(b.spec.containers?.[0]).toBe(a.spec.containers?.[0]);
    expect(b.spec.containers).toEqual([
      { name: 'main', ports: [{ containerPort: 80, protocol: 'TCP' }] },
      { name: 'proxy', ports: [{ containerPort: 81 }] },
    ]);
    expect(b.status.conditions).toBe(a.status.conditions);
    expect(c.status.conditions).toEqual([
      { type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:00:01Z' },
    ]);
  });

  it('has all of its labels, also when other fields stand between them, and with characters of several bytes', () => {
    const meta = message(1, bytes(1, 'p'), map(11, { app: 'wéb' }), bytes(5, 'u'), map(11, { tier: '前' }));
    expect(decodePod(meta).metadata).toEqual({ name: 'p', uid: 'u', labels: { app: 'wéb', tier: '前' } });
  });

  it('with labels too long to be worth keeping is read like any other', () => {
    const labels = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`label-${i}`, 'x'.repeat(40)]));
    const read = () => decodePod(message(1, bytes(1, 'p'), map(11, labels))).metadata.labels;
    expect(read()).toEqual(labels);
    expect(read()).not.toBe(read());
  });

  it('with a time that no calendar knows has none', () => {
    expect(decodePod(message(1, bytes(1, 'p'), time(8, 9e12))).metadata).toEqual({ name: 'p' });
  });

  it('without times has none', () => {
    expect(decodePod(join(message(1, bytes(1, 'p'), message(8))))).toEqual({
      metadata: { name: 'p' },
      spec: {},
      status: {},
    });
  });
});

describe('a Service', () => {
  it('is read with its ports, addresses and policies', () => {
    const spec = message(
      2,
      message(
        1,
        bytes(1, 'http'),
        bytes(2, 'TCP'),
        int(3, 80),
        message(4, int(1, 1), int(2, 0), bytes(3, 'web')),
        int(5, 30080),
        bytes(6, 'h2c'),
      ),
      message(
        1,
        bytes(1, ''),
        bytes(2, 'UDP'),
        int(3, 53),
        message(4, int(1, 0), int(2, 5353), bytes(3, '')),
        int(5, 0),
      ),
      map(2, { app: 'web' }),
      bytes(3, '10.0.0.1'),
      bytes(4, 'NodePort'),
      bytes(5, '192.0.2.1'),
      bytes(7, 'ClientIP'),
      bytes(8, ''),
      bytes(9, '203.0.113.0/24'),
      bytes(10, ''),
      bytes(11, 'Local'),
      int(12, 31000),
      int(13, 1),
      message(14, message(1, int(1, 10800))),
      bytes(17, 'SingleStack'),
      bytes(18, '10.0.0.1'),
      bytes(19, 'IPv4'),
      int(20, 1),
      bytes(22, 'Cluster'),
      bytes(23, 'PreferClose'),
    );
    const status = message(3, message(1, message(1, bytes(1, '198.51.100.1'), bytes(2, ''), bytes(3, 'VIP'))));
    expect(decodeService(join(fullMeta, spec, status))).toEqual({
      metadata: ownedMeta,
      spec: {
        ports: [
          { name: 'http', protocol: 'TCP', port: 80, targetPort: 'web', nodePort: 30080, appProtocol: 'h2c' },
          { protocol: 'UDP', port: 53, targetPort: 5353 },
        ],
        selector: { app: 'web' },
        clusterIP: '10.0.0.1',
        type: 'NodePort',
        externalIPs: ['192.0.2.1'],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
        loadBalancerSourceRanges: ['203.0.113.0/24'],
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 31000,
        publishNotReadyAddresses: true,
        ipFamilyPolicy: 'SingleStack',
        clusterIPs: ['10.0.0.1'],
        ipFamilies: ['IPv4'],
        internalTrafficPolicy: 'Cluster',
        trafficDistribution: 'PreferClose',
      },
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.1', ipMode: 'VIP' }] } },
    });
  });
});

describe('a Node', () => {
  it('is read with CIDRs, taints, addresses, CPU and readiness', () => {
    const spec = message(
      2,
      bytes(1, '10.1.0.0/24'),
      int(4, 1),
      message(5, bytes(1, 'k'), bytes(2, ''), bytes(3, 'NoSchedule')),
      bytes(7, '10.1.0.0/24'),
    );
    const quantity = (key: string, value: string) => message(2, bytes(1, key), message(2, bytes(1, value)));
    const status = message(
      3,
      quantity('cpu', '1900m'),
      quantity('memory', '1Gi'),
      message(4, bytes(1, 'MemoryPressure'), bytes(2, 'False')),
      message(4, bytes(1, 'Ready'), bytes(2, 'True'), time(3, 1)),
      message(5, bytes(1, 'InternalIP'), bytes(2, '192.0.2.1')),
    );
    expect(decodeNode(join(fullMeta, spec, status))).toEqual({
      metadata: plainMeta,
      spec: {
        podCIDR: '10.1.0.0/24',
        podCIDRs: ['10.1.0.0/24'],
        unschedulable: true,
        taints: [{ key: 'k', effect: 'NoSchedule' }],
      },
      status: {
        allocatable: { cpu: '1900m' },
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      },
    });
  });
});

describe('an EndpointSlice', () => {
  it('tells a field that was set to its zero from one that was not set', () => {
    const endpoint = message(
      2,
      bytes(1, '10.0.0.1'),
      message(2, int(1, 1), int(3, 0)),
      bytes(3, ''),
      message(
        4,
        bytes(1, 'Pod'),
        bytes(2, 'shop'),
        bytes(3, 'web-1'),
        bytes(4, 'u'),
        bytes(5, ''),
        bytes(6, ''),
        bytes(7, ''),
      ),
      map(5, { rack: 'r' }),
      bytes(6, 'node-1'),
      bytes(7, 'zone-a'),
      message(8, message(1, bytes(1, 'zone-a')), message(2, bytes(1, 'node-1'))),
    );
    const slice = join(
      fullMeta,
      endpoint,
      message(2, bytes(1, '10.0.0.2'), message(2)),
      message(3, bytes(1, ''), bytes(2, 'TCP'), int(3, 80)),
      message(3),
      bytes(4, 'IPv6'),
    );
    expect(decodeEndpointSlice(slice)).toEqual({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: ownedMeta,
      addressType: 'IPv6',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready: true, terminating: false },
          hostname: '',
          targetRef: { kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'u' },
          deprecatedTopology: { rack: 'r' },
          nodeName: 'node-1',
          zone: 'zone-a',
          hints: { forZones: [{ name: 'zone-a' }], forNodes: [{ name: 'node-1' }] },
        },
        { addresses: ['10.0.0.2'], conditions: {} },
      ],
      ports: [{ name: '', protocol: 'TCP', port: 80 }, {}],
    });
  });
});

describe('any decoder', () => {
  const decoders = { decodePod, decodeService, decodeNode, decodeEndpointSlice };

  it.each(Object.entries(decoders))('%s passes fields over that it does not know', (_, decode) => {
    const unknown = [int(99, 5), fixed64(98), bytes(97, 'x'), message(96, int(1, 1))];
    const object = join(...unknown, message(1, bytes(1, 'x'), ...unknown), message(2, ...unknown), ...unknown);
    expect(decode(object).metadata).toEqual({ name: 'x' });
  });

  it.each(Object.entries(decoders))('%s refuses an object without a name', (_, decode) => {
    expect(() => decode(Buffer.alloc(0))).toThrow(ProjectionError);
    expect(() => decode(message(1, bytes(3, 'ns')))).toThrow('without metadata.name');
  });

  it.each(Object.entries(decoders))('%s meets any bytes with an object or an error of its own kind', (_, decode) => {
    const noise = fc.uint8Array({ maxLength: 60 }).map((content) => join(name('x'), Buffer.from(content)));
    const nested = fc
      .tuple(fc.integer({ min: 1, max: 5 }), noise)
      .map(([field, content]) => join(name('x'), bytes(field, content)));
    fc.assert(
      fc.property(fc.oneof(noise, nested), (content) => {
        try {
          decode(content);
        } catch (error) {
          if (!(error instanceof ProtobufError || error instanceof ProjectionError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
