import { describe, expect, it } from 'vitest';
import { decoderOf } from '../../../../../src/embedded/apiserver/kinds/schema/decode.ts';

const service = decoderOf('V1Service');
const slice = decoderOf('V1EndpointSlice');
const pod = decoderOf('V1Pod');

describe('decoding a body into the shape of its kind', () => {
  it('leaves out zero values that say nothing, and keeps those that do', () => {
    const { object } = service({
      metadata: { name: 'a', labels: {}, annotations: null, finalizers: [] },
      spec: {
        type: '',
        externalIPs: [],
        selector: {},
        publishNotReadyAddresses: false,
        ports: [{ port: 0, name: '' }],
      },
    });
    expect(object).toEqual({
      metadata: { name: 'a' },
      spec: { ports: [{ port: 0 }] },
      status: { loadBalancer: {} },
    });
  });

  it('an empty list of an EndpointSlice is null, whether it came as [], null or not at all', () => {
    for (const lists of [{ endpoints: [], ports: [] }, { endpoints: null, ports: null }, {}]) {
      expect(slice({ metadata: {}, addressType: 'IPv4', ...lists }).object).toEqual({
        metadata: {},
        addressType: 'IPv4',
        endpoints: null,
        ports: null,
      });
    }
  });

  it('keeps the empty name and the zero port of an EndpointSlice, which are pointers upstream', () => {
    const { object } = slice({ metadata: {}, addressType: 'IPv4', ports: [{ name: '', port: 0 }] });
    expect(object.ports).toEqual([{ name: '', port: 0 }]);
  });

  it('does not share structure with the body', () => {
    const body = { metadata: { name: 'a' }, spec: { selector: { a: 'b' } } };
    const { object } = service(body);
    object.metadata.name = 'b';
    expect(body.metadata.name).toBe('a');
  });

  it('names unknown fields by their path', () => {
    const { unknownFields, error } = service({
      metadata: { baz: 1 },
      spec: { ports: [{ port: 80, foo: 1 }], bar: 2, Type: 'NodePort' },
    });
    expect(error).toBeUndefined();
    expect(unknownFields).toEqual(['metadata.baz', 'spec.ports[0].foo', 'spec.bar', 'spec.Type']);
  });

  const mismatches: [string, unknown, string][] = [
    [
      'a string for a number',
      { ports: [{ port: '80' }] },
      'string into Go struct field ServicePort.spec.ports.port of type int32',
    ],
    [
      'a fraction for a number',
      { ports: [{ port: 80.5 }] },
      'number 80.5 into Go struct field ServicePort.spec.ports.port of type int32',
    ],
    [
      'a number out of range',
      { ports: [{ port: 99999999999 }] },
      'number 99999999999 into Go struct field ServicePort.spec.ports.port of type int32',
    ],
    [
      'an object for a list',
      { ports: {} },
      'object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort',
    ],
    [
      'a string for an object',
      { ports: ['a'] },
      'string into Go struct field ServiceSpec.spec.ports of type v1.ServicePort',
    ],
    [
      'a list for a map',
      { selector: ['a'] },
      'array into Go struct field ServiceSpec.spec.selector of type map[string]string',
    ],
    [
      'a number in a map',
      { selector: { a: 1 } },
      'number into Go struct field ServiceSpec.spec.selector of type string',
    ],
    [
      'a string for a boolean',
      { publishNotReadyAddresses: 'true' },
      'string into Go struct field ServiceSpec.spec.publishNotReadyAddresses of type bool',
    ],
    [
      'a boolean for a port',
      { ports: [{ port: 80, targetPort: true }] },
      'bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
  ];
  it.each(mismatches)('refuses %s in the words of the real server', (_what, spec, text) => {
    const { error } = service({ metadata: {}, spec });
    expect(error).toBe(`Service in version "v1" cannot be handled as a Service: json: cannot unmarshal ${text}`);
  });

  it('refuses a spec that is no object', () => {
    expect(service({ metadata: {}, spec: 'foo' }).error).toBe(
      'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field Service.spec of type v1.ServiceSpec',
    );
  });

  it('takes null in a list or map as the zero value', () => {
    const { object } = service({ metadata: {}, spec: { ports: [null], selector: { a: null } } });
    expect(object.spec).toEqual({ ports: [{ port: 0 }], selector: { a: '' } });
  });

  it('makes times UTC, in seconds or microseconds as the field has them', () => {
    const lease = decoderOf('V1Lease');
    const { object } = lease({
      metadata: { creationTimestamp: '2024-01-01T02:00:00.5+02:00' },
      spec: { renewTime: '2024-01-01T00:00:00.123456+02:00' },
    });
    expect(object.metadata.creationTimestamp).toBe('2024-01-01T00:00:00Z');
    expect(object.spec).toEqual({ renewTime: '2023-12-31T22:00:00.123456Z' });
    expect(lease({ metadata: {}, spec: { renewTime: '2024-01-01T00:00:00Z' } }).error).toContain('parsing time');
  });

  it('makes amounts canonical, from text and numbers', () => {
    const container = { name: 'c', image: 'i', resources: { limits: { cpu: 0.5, memory: '1024Mi' } } };
    const { object } = pod({ metadata: {}, spec: { containers: [container] } });
    expect(object.spec).toEqual({
      containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '500m', memory: '1Gi' } } }],
    });
    const bad = { name: 'c', resources: { limits: { cpu: 'abc' } } };
    expect(pod({ metadata: {}, spec: { containers: [bad] } }).error).toContain('quantities must match');
  });

  it('fills in the structures that are always written', () => {
    expect(pod({ metadata: {}, spec: { containers: [{ name: 'c' }] } }).object).toEqual({
      metadata: {},
      spec: { containers: [{ name: 'c', resources: {} }] },
      status: {},
    });
    const status = { containerStatuses: [{ name: 'c', state: { terminated: {} } }], conditions: [{ type: 'Ready' }] };
    expect(pod({ metadata: {}, status }).object.status).toEqual({
      conditions: [{ type: 'Ready', status: '', lastProbeTime: null, lastTransitionTime: null }],
      containerStatuses: [
        {
          name: 'c',
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
          lastState: {},
          state: { terminated: { exitCode: 0, startedAt: null, finishedAt: null } },
        },
      ],
    });
  });

  it('is idempotent', () => {
    const once = pod({
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] },
    });
    expect(pod(once.object).object).toEqual(once.object);
  });
});
