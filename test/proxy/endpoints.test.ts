import { describe, expect, it } from 'vitest';
import type { Endpoint, EndpointSlice } from '../../src/objects/endpointslice.ts';
import { endpointsOfService, serviceOfSlice } from '../../src/proxy/endpoints.ts';
import { slice } from './objects.ts';

const reader = { ipFamily: 'IPv4', nodeName: 'n1' } as const;
const read = (...slices: EndpointSlice[]) => endpointsOfService(slices, reader);
const only = (...slices: EndpointSlice[]) => [...read(...slices).endpoints.values()][0] ?? [];
const endpoint = (ip: string, rest: Partial<Endpoint> = {}): Endpoint => ({ addresses: [ip], ...rest });

describe('endpoints', () => {
  it('are sorted by their text, byte by byte', () => {
    const ips = ['10.0.0.2', '10.0.0.10', '10.0.0.1', '9.0.0.1'];
    expect(only(slice('ns/svc', 'a', ips)).map((e) => e.address)).toEqual([
      '10.0.0.10:80',
      '10.0.0.1:80',
      '10.0.0.2:80',
      '9.0.0.1:80',
    ]);
  });

  it('are ready and serving, not terminating and not local, unless the slice says otherwise', () => {
    expect(only(slice('ns/svc', 'a', ['10.0.0.1']))).toEqual([
      {
        ip: '10.0.0.1',
        port: 80,
        address: '10.0.0.1:80',
        ready: true,
        serving: true,
        terminating: false,
        isLocal: false,
        zoneHints: [],
        nodeHints: [],
      },
    ]);
  });

  it('carry conditions, node and hints', () => {
    const [found] = only(
      slice('ns/svc', 'a', [
        endpoint('10.0.0.1', {
          conditions: { ready: false, serving: false, terminating: true },
          nodeName: 'n1',
          hints: { forZones: [{ name: 'z1' }, { name: 'z2' }], forNodes: [{ name: 'n2' }] },
        }),
      ]),
    );
    expect(found).toMatchObject({
      ready: false,
      serving: false,
      terminating: true,
      isLocal: true,
      zoneHints: ['z1', 'z2'],
      nodeHints: ['n2'],
    });
  });

  it('are never local to a proxier without a node name', () => {
    const anywhere = slice('ns/svc', 'a', [endpoint('10.0.0.1', { nodeName: '' })]);
    const [found] = [...endpointsOfService([anywhere], { ipFamily: 'IPv4', nodeName: '' }).endpoints.values()].flat();
    expect(found?.isLocal).toBe(false);
  });

  it('use the first address only, and skip an endpoint without one', () => {
    const found = only(slice('ns/svc', 'a', [{ addresses: ['10.0.0.1', '10.0.0.2'] }, { addresses: [] }]));
    expect(found.map((e) => e.address)).toEqual(['10.0.0.1:80']);
  });

  it('stand under every port of their slice, an unnamed one included', () => {
    const { endpoints } = read(
      slice('ns/svc', 'a', ['10.0.0.1'], {
        ports: [
          { name: '', port: 80 },
          { name: 'dns', protocol: 'UDP', port: 53 },
        ],
      }),
    );
    expect([...endpoints.keys()]).toEqual(['ns/svc/TCP', 'ns/svc:dns/UDP']);
  });

  it('have canonical addresses', () => {
    expect(only(slice('ns/svc', 'a', ['10.180.00.001'])).map((e) => e.address)).toEqual(['10.180.0.1:80']);
    const six = slice('ns/svc', 'a', ['FD00:0::1'], { addressType: 'IPv6' });
    const found = endpointsOfService([six], { ipFamily: 'IPv6', nodeName: '' }).endpoints;
    expect([...found.values()].flat().map((e) => e.address)).toEqual(['[fd00::1]:80']);
  });
});

describe('two endpoints with one address', () => {
  const old = endpoint('10.0.0.1', { conditions: { ready: false, serving: true, terminating: true }, nodeName: 'n1' });
  const fresh = endpoint('10.0.0.1', { nodeName: 'n2' });

  it.each([
    ['in one slice', [slice('ns/svc', 'a', [old, fresh])]],
    ['in one slice, the other way round', [slice('ns/svc', 'a', [fresh, old])]],
    ['in two slices', [slice('ns/svc', 'a', [old]), slice('ns/svc', 'b', [fresh])]],
    ['in two slices, the other way round', [slice('ns/svc', 'a', [fresh]), slice('ns/svc', 'b', [old])]],
  ])('%s: the one that is not terminating counts', (_, slices) => {
    expect(only(...slices)).toMatchObject([{ terminating: false, isLocal: false }]);
  });

  it('that are equally good give the same answer in any order of slices', () => {
    const a = slice('ns/svc', 'a', [endpoint('10.0.0.1', { nodeName: 'n1' })]);
    const b = slice('ns/svc', 'b', [fresh]);
    expect(only(a, b)).toEqual(only(b, a));
  });
});

describe('slices', () => {
  it('belong to the Service that their label names, in their own namespace', () => {
    expect(serviceOfSlice(slice('ns/svc', 'a', []), 'IPv4')).toBe('ns/svc');
    expect(serviceOfSlice(slice('ns/svc', 'a', []), 'IPv6')).toBeUndefined();
    expect(serviceOfSlice(slice('ns/', 'a', []), 'IPv4')).toBeUndefined();
    expect(serviceOfSlice(slice('/svc', 'a', []), 'IPv4')).toBeUndefined();
  });

  it.each<[string, EndpointSlice, string]>([
    [
      'a port without a number',
      slice('ns/svc', 'a', ['10.0.0.1'], { ports: [{ name: 'p' }] }),
      'EndpointSlice "ns/a": ports {"name":"p"} has no port in 1..65535; the port is left out',
    ],
    [
      'a port without a name',
      slice('ns/svc', 'a', ['10.0.0.1'], { ports: [{ port: 80 }] }),
      'EndpointSlice "ns/a": ports {"port":80} has no name; the port is left out',
    ],
    [
      'an address that would end the line',
      slice('ns/svc', 'a', ['10.0.0.1\n-A INPUT -j DROP']),
      'EndpointSlice "ns/a": addresses ["10.0.0.1\\n-A INPUT -j DROP"] is not an IPv4 address',
    ],
    [
      'a Service name with a blank',
      slice('ns/s vc', 'a', ['10.0.0.1']),
      'EndpointSlice "ns/a": service "ns/s vc" cannot stand in a rule; the slice is left out',
    ],
  ])('leave out and report %s', (_, bad, line) => {
    const { endpoints, problems } = read(bad);
    expect(problems).toEqual([line]);
    expect([...endpoints.values()].flat()).toEqual([]);
  });
});
