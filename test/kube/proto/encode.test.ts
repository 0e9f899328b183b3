import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from '../../../src/embedded/apiserver/protobuf/decode.ts';
import { encodeEndpointSlice } from '../../../src/kube/proto/encode-endpointslice.ts';
import { decodeEndpointSlice, decodeWholeEndpointSlice } from '../../../src/kube/proto/endpointslices.ts';
import { openEnvelope } from '../../../src/kube/proto/envelope.ts';
import { UnknownFieldError } from '../../../src/kube/proto/reader.ts';
import { ProtoWriter } from '../../../src/kube/proto/writer.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import { bytes, int, message } from '../support/protobuf.ts';

const full: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'web-abc',
    generateName: 'web-',
    namespace: 'shop',
    uid: 'u1',
    resourceVersion: '7',
    generation: 300,
    creationTimestamp: '2026-01-01T00:00:00Z',
    deletionTimestamp: '2026-01-01T00:00:05Z',
    labels: { 'kubernetes.io/service-name': 'web', empty: '' },
    annotations: { note: 'ünïcödé €'.repeat(40) },
    finalizers: ['a/b', 'c/d'],
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'u0', controller: true, blockOwnerDeletion: false },
    ],
  },
  addressType: 'IPv4',
  endpoints: [
    {
      addresses: ['10.0.0.1', '10.0.0.2'],
      conditions: { ready: false, serving: true, terminating: false },
      hostname: 'ä',
      targetRef: { kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'u2', fieldPath: 'x', apiVersion: 'v1' },
      nodeName: 'node-1',
      zone: 'a',
      hints: { forZones: [{ name: 'a' }, { name: 'b' }], forNodes: [{ name: 'node-1' }] },
      deprecatedTopology: { rack: '1' },
    },
    { addresses: ['10.0.0.3'], conditions: {} },
  ],
  ports: [{ name: '', protocol: 'TCP', port: 0, appProtocol: 'http' }, {}],
};

describe('a slice as protobuf', () => {
  it('says the same as its JSON to a server that decodes it by the published field numbers', () => {
    const message = encodeEndpointSlice(full);
    expect(message && decodeProtobuf(message)).toEqual(JSON.parse(JSON.stringify(full)));
  });

  it('is read back as it was, whatever stands in it', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 70 });
    const number = fc.nat({ max: 2 ** 31 - 1 });
    const endpoint = fc.record(
      {
        addresses: fc.array(text, { maxLength: 3 }),
        conditions: fc.record({ ready: fc.boolean(), serving: fc.boolean() }, { requiredKeys: [] }),
        hostname: text,
        nodeName: text,
        zone: text,
      },
      { requiredKeys: ['addresses', 'conditions'] },
    );
    const slice = fc.record({
      apiVersion: fc.constant('discovery.k8s.io/v1'),
      kind: fc.constant('EndpointSlice'),
      metadata: fc.record({ name: text.filter((t) => t !== '') }),
      addressType: fc.constantFrom('IPv4' as const, 'IPv6' as const),
      endpoints: fc.array(endpoint, { maxLength: 60 }),
      ports: fc.array(fc.record({ name: text, port: number }, { requiredKeys: [] }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(slice, (some) => {
        const message = encodeEndpointSlice(some);
        expect(message && decodeEndpointSlice(openEnvelope(message).raw)).toEqual(some);
      }),
    );
  });

  it('is read back without loss to be written again, what only the server writes aside', () => {
    const metadata = {
      ...full.metadata,
      deletionGracePeriodSeconds: 30,
      selfLink: '/x',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    };
    const encoded = encodeEndpointSlice({ ...full, metadata });
    const raw = encoded && openEnvelope(encoded).raw;
    if (!raw) throw new Error('no protobuf form');
    expect(decodeWholeEndpointSlice(raw)).toEqual({ ...full, metadata });
    const managed = Buffer.concat([message(1, bytes(1, 'x'), message(17, bytes(1, 'me'))), bytes(4, 'IPv4')]);
    expect(decodeWholeEndpointSlice(managed).metadata).toEqual({ name: 'x' });
  });

  it.each([
    ['the slice', bytes(9, 'new')],
    ['its metadata', message(1, bytes(1, 'x'), bytes(18, 'new'))],
    ['an owner', message(1, bytes(1, 'x'), message(13, bytes(2, 'new')))],
    ['an endpoint', message(2, bytes(9, 'new'))],
    ['its conditions', message(2, message(2, int(4, 1)))],
    ['its hints', message(2, message(8, bytes(3, 'new')))],
    ['its target', message(2, message(4, bytes(8, 'new')))],
    ['a port', message(3, bytes(5, 'new'))],
  ])('is refused with a field unknown in %s, where it is to be written back', (_, field) => {
    const raw = Buffer.concat([message(1, bytes(1, 'x')), field]);
    expect(() => decodeWholeEndpointSlice(raw)).toThrow(UnknownFieldError);
    expect(() => decodeEndpointSlice(raw)).not.toThrow();
  });

  it('is not there when a field would be lost, at whatever depth, or a value does not fit', () => {
    const [endpoint] = full.endpoints;
    const spoilt: object[] = [
      { ...full, newer: 1 },
      { ...full, metadata: { ...full.metadata, newer: {} } },
      { ...full, endpoints: [{ ...endpoint, newer: 'x' }] },
      { ...full, endpoints: [{ ...endpoint, conditions: { ready: true, newer: true } }] },
      { ...full, metadata: { ...full.metadata, creationTimestamp: 'soon' } },
      { ...full, metadata: { ...full.metadata, labels: { a: 1 } } },
      { ...full, ports: [{ port: 1.5 }] },
      { ...full, ports: ['x'] },
      { ...full, addressType: ['IPv4', 'IPv6', 4] },
    ];
    for (const slice of spoilt) expect(encodeEndpointSlice(slice as EndpointSlice)).toBeUndefined();
    expect(
      encodeEndpointSlice({ ...full, metadata: { ...full.metadata, toString: undefined } as never }),
    ).toBeDefined();
  });
});

describe('the writer', () => {
  it('writes numbers of every size, and texts of every length', () => {
    const field = fc.oneof(fc.maxSafeInteger(), fc.nat(200), fc.string({ unit: 'grapheme', maxLength: 9000 }));
    fc.assert(
      fc.property(fc.array(field, { maxLength: 5 }), (values) => {
        const writer = new ProtoWriter();
        for (const value of values.toReversed()) {
          if (typeof value === 'number') writer.int(1, value);
          else writer.string(2, value);
        }
        const expected = values.map((value) => (typeof value === 'number' ? int(1, value) : bytes(2, value)));
        expect(writer.take()).toEqual(Buffer.concat(expected));
      }),
    );
  });
});
