import { describe, expect, it } from 'vitest';
import { PortResolver, portsKey } from '../../src/endpointslice/ports.ts';
import type { EndpointPort } from '../../src/objects/endpointslice.ts';
import type { Container } from '../../src/objects/pod.ts';
import type { ServicePort } from '../../src/objects/service.ts';
import { HTTP, pod, service } from './support/build.ts';

function resolve(ports: ServicePort[] | undefined, containers: Container[] = [], initContainers: Container[] = []) {
  const { ports: _, ...spec } = service().spec;
  const of = { ...service(), spec: ports === undefined ? spec : { ...spec, ports } };
  return new PortResolver(of).resolve(pod('p', { containers, initContainers })).ports;
}

const named: ServicePort = { ...HTTP, targetPort: 'web' };

describe('ports of a Pod for a Service', () => {
  it('takes a number as it is, zero included', () => {
    expect(resolve([{ ...HTTP, targetPort: 0 }])).toEqual([{ name: 'http', protocol: 'TCP', port: 0 }]);
  });

  it('takes the port itself where no target port is given, as the API server defaults it', () => {
    const { targetPort: _, ...plain } = HTTP;
    expect(resolve([plain])).toEqual([{ name: 'http', protocol: 'TCP', port: 80 }]);
  });

  it('copies name, protocol and appProtocol, which stays absent when it is', () => {
    expect(resolve([{ port: 53, targetPort: 53, protocol: 'UDP', appProtocol: 'kubernetes.io/h2c' }])).toEqual([
      { name: '', protocol: 'UDP', port: 53, appProtocol: 'kubernetes.io/h2c' },
    ]);
    expect(resolve([HTTP])[0]).not.toHaveProperty('appProtocol');
  });

  it.each([
    [
      'the first container port of that name',
      [
        { ports: [{ name: 'x', containerPort: 1 }] },
        {
          ports: [
            { name: 'web', containerPort: 8081 },
            { name: 'web', containerPort: 9 },
          ],
        },
      ],
      [],
      8081,
    ],
    [
      'only a port of the same protocol',
      [
        {
          ports: [
            { name: 'web', containerPort: 1, protocol: 'UDP' as const },
            { name: 'web', containerPort: 2, protocol: 'TCP' as const },
          ],
        },
      ],
      [],
      2,
    ],
    [
      'a sidecar where no container has it',
      [{ ports: [{ name: 'x', containerPort: 1 }] }],
      [{ restartPolicy: 'Always', ports: [{ name: 'web', containerPort: 15001 }] }],
      15001,
    ],
    [
      'a container before a sidecar',
      [{ ports: [{ name: 'web', containerPort: 1 }] }],
      [{ restartPolicy: 'Always', ports: [{ name: 'web', containerPort: 2 }] }],
      1,
    ],
  ])('looks a name up: %s', (_, containers, initContainers, expected) => {
    expect(resolve([named], containers, initContainers)).toEqual([{ name: 'http', protocol: 'TCP', port: expected }]);
  });

  it('does not look into init containers that run to their end', () => {
    expect(resolve([named], [], [{ ports: [{ name: 'web', containerPort: 1 }] }])).toEqual([]);
  });

  it('leaves a name out that the Pod does not have, and keeps the other ports', () => {
    expect(resolve([named, { port: 443, name: 'tls', targetPort: 8443 }])).toEqual([
      { name: 'tls', protocol: 'TCP', port: 8443 },
    ]);
  });

  it('gives an empty list for a Service without ports', () => {
    expect(resolve([])).toEqual([]);
    expect(resolve(undefined)).toEqual([]);
  });

  it('shares one group among Pods with the same answer', () => {
    const resolver = new PortResolver(service({ ports: [named] }));
    const of = (containerPort: number) =>
      resolver.resolve(pod('p', { containers: [{ ports: [{ name: 'web', containerPort }] }] }));
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
  });
});

describe('the key of a set of ports', () => {
  const a: EndpointPort = { name: 'a', protocol: 'TCP', port: 1 };
  const b: EndpointPort = { name: 'b', protocol: 'UDP', port: 2 };

  it('does not depend on the order', () => {
    expect(portsKey([a, b])).toBe(portsKey([b, a]));
  });

  it('is the same for no list and an empty one', () => {
    expect(portsKey(undefined)).toBe(portsKey([]));
    expect(portsKey(null)).toBe(portsKey([]));
  });

  it.each([
    ['name', { ...a, name: 'c' }],
    ['protocol', { ...a, protocol: 'SCTP' as const }],
    ['port', { ...a, port: 2 }],
    ['appProtocol', { ...a, appProtocol: 'http' }],
    ['appProtocol that is empty rather than absent', { ...a, appProtocol: '' }],
  ])('depends on %s', (_, other) => {
    expect(portsKey([a])).not.toBe(portsKey([other]));
  });
});
