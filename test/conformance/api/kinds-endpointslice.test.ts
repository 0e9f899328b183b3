import { describe, expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';
import {
  cells,
  columns,
  create,
  edit,
  labelHelp,
  labelValueHelp,
  linkLocal,
  linkLocalMulticast,
  loopback,
  notAnAddress,
  qualifiedHelp,
  refusals,
  subdomainHelp,
  tryCreate,
} from './kinds-support.ts';

const at = (...addresses: string[]) => ({ addresses });
const v4 = { addressType: 'IPv4' };
const supported = 'supported values: "SCTP", "TCP", "UDP"';

describeWithServers('kinds of endpoints', (server) => {
  describe('EndpointSlice', () => {
    const path = async () => `/apis/discovery.k8s.io/v1/namespaces/${await server.namespace()}/endpointslices`;

    it.each([
      ['[]', { endpoints: [], ports: [] }],
      ['null', { endpoints: null, ports: null }],
      ['nothing', {}],
    ])('empty lists given as %s are served as null', async (_what, lists) => {
      const slices = await path();
      const created = await create(server, slices, { ...v4, ...lists });
      expect(created).toMatchObject({ addressType: 'IPv4', endpoints: null, ports: null });
      expect((await server.get(`${slices}/x`)).body).toMatchObject({ endpoints: null, ports: null });
      expect((await server.get(slices)).body.items).toMatchObject([{ endpoints: null, ports: null }]);
    });

    it('ports get a protocol and an empty name; endpoints are left as they are', async () => {
      const { body } = await tryCreate(server, await path(), {
        ...v4,
        endpoints: [
          at('1.2.3.4'),
          {
            ...at('1.2.3.5'),
            conditions: { ready: false },
            hints: {},
            nodeName: 'n',
            zone: 'z',
            targetRef: { kind: 'Pod', name: '' },
          },
        ],
        ports: [{}, { name: 'a', port: 0 }, { name: 'b', protocol: 'UDP', appProtocol: 'kubernetes.io/h2c' }],
      });
      expect(body).toMatchObject({ metadata: { generation: 1 } });
      expect(body.endpoints).toEqual([
        { addresses: ['1.2.3.4'], conditions: {} },
        {
          addresses: ['1.2.3.5'],
          conditions: { ready: false },
          hints: {},
          nodeName: 'n',
          zone: 'z',
          targetRef: { kind: 'Pod' },
        },
      ]);
      expect(body.ports).toEqual([
        { name: '', protocol: 'TCP' },
        { name: 'a', protocol: 'TCP', port: 0 },
        { name: 'b', protocol: 'UDP', appProtocol: 'kubernetes.io/h2c' },
      ]);
    });

    it('the topology of old clients is dropped', async () => {
      const { body } = await tryCreate(server, await path(), {
        ...v4,
        endpoints: [{ ...at('1.2.3.4'), deprecatedTopology: { a: 'b' } }],
      });
      expect(body.endpoints).toEqual([{ addresses: ['1.2.3.4'], conditions: {} }]);
    });

    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => `10.0.${Math.floor(i / 250)}.${(i % 250) + 1}`);
    const zones = (...names: string[]) => ({ hints: { forZones: names.map((name) => ({ name })) } });
    const nodes = (...names: string[]) => ({ hints: { forNodes: names.map((name) => ({ name })) } });
    const nine = Array.from({ length: 9 }, (_, i) => `n${i}`);
    const refused: [string, Record<string, unknown>, string[]][] = [
      ['no address type', {}, ['addressType: Required value']],
      [
        'an unknown address type',
        { addressType: 'Foo' },
        ['addressType: Unsupported value: "Foo": supported values: "FQDN", "IPv4", "IPv6"'],
      ],
      [
        'IPv4 addresses that cannot be reached, or are none',
        {
          ...v4,
          endpoints: [
            '127.0.0.1',
            '0.0.0.0',
            '169.254.1.1',
            '224.0.0.5',
            '239.0.0.1',
            '::1',
            'foo',
            '01.2.3.4',
            '255.255.255.255',
            '',
          ].map((a) => at(a)),
        },
        [
          `endpoints[0].addresses[0]: Invalid value: "127.0.0.1": ${loopback}`,
          'endpoints[1].addresses[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
          `endpoints[2].addresses[0]: Invalid value: "169.254.1.1": ${linkLocal}`,
          `endpoints[3].addresses[0]: Invalid value: "224.0.0.5": ${linkLocalMulticast}`,
          'endpoints[5].addresses: Invalid value: "::1": must be an IPv4 address',
          `endpoints[5].addresses[0]: Invalid value: "::1": ${loopback}`,
          `endpoints[6].addresses[0]: Invalid value: "foo": ${notAnAddress}`,
          'endpoints[7].addresses[0]: Invalid value: "01.2.3.4": must not have leading 0s',
          `endpoints[9].addresses[0]: Invalid value: "": ${notAnAddress}`,
        ],
      ],
      [
        'IPv6 addresses that cannot be reached, are none, or are spelled in another way',
        {
          addressType: 'IPv6',
          endpoints: [
            '::',
            'fe80::1',
            'ff02::1',
            'ff05::1',
            '1.2.3.4',
            'FD00::1',
            '::ffff:1.2.3.4',
            'fd00::1%eth0',
          ].map((a) => at(a)),
        },
        [
          'endpoints[0].addresses[0]: Invalid value: "::": may not be unspecified (::)',
          `endpoints[1].addresses[0]: Invalid value: "fe80::1": ${linkLocal}`,
          `endpoints[2].addresses[0]: Invalid value: "ff02::1": ${linkLocalMulticast}`,
          'endpoints[4].addresses: Invalid value: "1.2.3.4": must be an IPv6 address',
          'endpoints[5].addresses[0]: Invalid value: "FD00::1": must be in canonical form ("fd00::1")',
          'endpoints[6].addresses[0]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
          `endpoints[7].addresses[0]: Invalid value: "fd00::1%eth0": ${notAnAddress}`,
        ],
      ],
      [
        'names that are not fully qualified',
        { addressType: 'FQDN', endpoints: [at('a.b'), at('A_b'), at('a')] },
        [
          `endpoints[1].addresses[0]: Invalid value: "A_b": ${subdomainHelp}`,
          'endpoints[2].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots',
        ],
      ],
      [
        'endpoints without addresses',
        { ...v4, endpoints: [{}, at()] },
        [
          'endpoints[0].addresses: Required value: must contain at least 1 address',
          'endpoints[1].addresses: Required value: must contain at least 1 address',
        ],
      ],
      [
        '101 addresses of an endpoint',
        { ...v4, endpoints: [at(...many(101))] },
        ['endpoints[0].addresses: Too many: 101: must have at most 100 items'],
      ],
      [
        '1001 endpoints',
        { ...v4, endpoints: many(1001).map((a) => at(a)) },
        ['endpoints: Too many: 1001: must have at most 1000 items'],
      ],
      [
        'ports of one name',
        { ...v4, ports: [{ port: 80 }, { port: 81 }, { name: 'a' }, { name: 'a' }] },
        ['ports[1].name: Duplicate value: ""', 'ports[3].name: Duplicate value: "a"'],
      ],
      [
        'bad ports',
        {
          ...v4,
          ports: [
            { name: 'A_', protocol: 'FOO' },
            { name: 'b', port: 70000 },
            { name: 'c', protocol: '' },
            { name: 'd', appProtocol: 'a b' },
          ],
        },
        [
          `ports[0].name: Invalid value: "A_": ${labelHelp}`,
          `ports[0].protocol: Unsupported value: "FOO": ${supported}`,
          `ports[2].protocol: Unsupported value: "": ${supported}`,
          `ports[3].appProtocol: Invalid value: "a b": ${qualifiedHelp}`,
        ],
      ],
      [
        'bad hints',
        {
          ...v4,
          endpoints: [
            { ...at('1.2.3.4'), ...zones(...nine) },
            { ...at('1.2.3.5'), ...zones('a', 'a', 'a b') },
            { ...at('1.2.3.6'), ...nodes(...nine) },
            { ...at('1.2.3.7'), ...nodes('n', 'n', 'N_') },
          ],
        },
        [
          'endpoints[0].hints.forZones: Too many: 9: must have at most 8 items',
          'endpoints[1].hints.forZones[1].name: Duplicate value: "a"',
          `endpoints[1].hints.forZones[2].name: Invalid value: "a b": ${labelValueHelp}`,
          'endpoints[2].hints.forNodes: Too many: 9: must have at most 8 items',
          'endpoints[3].hints.forNodes[1].name: Duplicate value: "n"',
          `endpoints[3].hints.forNodes[2].name: Invalid value: "N_": ${subdomainHelp}`,
        ],
      ],
      [
        'bad host and node names',
        { ...v4, endpoints: [{ ...at('1.2.3.4'), nodeName: 'N_', hostname: 'A_' }] },
        [
          `endpoints[0].nodeName: Invalid value: "N_": ${subdomainHelp}`,
          `endpoints[0].hostname: Invalid value: "A_": ${labelHelp}`,
        ],
      ],
    ];
    it.each(refused)('is refused: %s', async (_what, body, expected) => {
      const answer = await tryCreate(server, await path(), body);
      expect(refusals(answer)).toEqual(expected);
      expect(answer.status).toBe(422);
      expect(answer.body.details).toMatchObject({ name: 'x', group: 'discovery.k8s.io', kind: 'EndpointSlice' });
    });

    it('1000 endpoints, 100 addresses of one, and more than 100 ports pass', async () => {
      const endpoints = [at(...many(100)), ...many(999).map((a) => at(a))];
      const ports = Array.from({ length: 101 }, (_, i) => ({ name: `p${i}`, port: 80 }));
      expect((await tryCreate(server, await path(), { ...v4, endpoints, ports })).status).toBe(201);
    });

    it('an address may occur more than once', async () => {
      const endpoints = [at('1.2.3.4', '1.2.3.4'), at('1.2.3.4')];
      expect((await tryCreate(server, await path(), { ...v4, endpoints })).body.endpoints).toHaveLength(2);
    });

    it('the generation counts changes of labels and of everything but metadata', async () => {
      const slices = await path();
      await create(server, slices, {
        metadata: { generation: 7 },
        ...v4,
        endpoints: [at('1.2.3.4')],
        ports: [{ port: 80 }],
      });
      const generationAfter = async (change: Parameters<typeof edit>[2]) =>
        (await edit(server, `${slices}/x`, change)).body.metadata.generation;
      expect(await generationAfter(() => {})).toBe(1);
      expect(
        await generationAfter(({ metadata }) => {
          metadata.annotations = { a: 'b' };
        }),
      ).toBe(1);
      expect(
        await generationAfter(({ metadata }) => {
          metadata.labels = { a: 'b' };
        }),
      ).toBe(2);
      expect(
        await generationAfter(({ metadata }) => {
          metadata.generation = 99;
        }),
      ).toBe(2);
      expect(
        await generationAfter((slice) => {
          slice.endpoints = [{ ...at('1.2.3.4'), conditions: { ready: true } }];
        }),
      ).toBe(3);
      expect(
        await generationAfter((slice) => {
          slice.endpoints = [];
          slice.ports = [];
        }),
      ).toBe(4);
      expect(
        await generationAfter((slice) => {
          delete slice.endpoints;
          slice.ports = null;
        }),
      ).toBe(4);
    });

    it('the address type is for good', async () => {
      const slices = await path();
      await create(server, slices, v4);
      const answer = await edit(server, `${slices}/x`, (slice) => {
        slice.addressType = 'IPv6';
      });
      expect(refusals(answer)).toEqual(['addressType: Invalid value: "IPv6": field is immutable']);
    });

    it('a PUT to an absent name does not create it', async () => {
      const answer = await server.put(`${await path()}/new`, { metadata: { name: 'new' }, ...v4 });
      expect(answer.status).toBe(404);
    });

    it('its name is a DNS subdomain', async () => {
      const slices = await path();
      expect((await tryCreate(server, slices, { metadata: { name: 'a.b.c' }, ...v4 })).status).toBe(201);
      expect(refusals(await tryCreate(server, slices, { metadata: { name: 'A_b' }, ...v4 }))).toEqual([
        `metadata.name: Invalid value: "A_b": ${subdomainHelp}`,
      ]);
    });

    it('is shown in a table', async () => {
      const slices = await path();
      expect(await columns(server, slices)).toEqual(['Name', 'AddressType', 'Ports', 'Endpoints', 'Age']);
      await create(server, slices, { metadata: { name: 'a' }, ...v4 });
      expect(await cells(server, `${slices}/a`)).toEqual({
        Name: 'a',
        AddressType: 'IPv4',
        Ports: '<unset>',
        Endpoints: '<unset>',
      });
      await create(server, slices, {
        metadata: { name: 'b' },
        ...v4,
        ports: [{ name: 'p', port: 80 }, { name: 'n' }, { port: 82 }, { name: 'q', port: 83 }],
        endpoints: [at('1.2.3.4', '1.2.3.5'), at('1.2.3.6', '1.2.3.7'), at('1.2.3.8')],
      });
      expect(await cells(server, `${slices}/b`)).toEqual({
        Name: 'b',
        AddressType: 'IPv4',
        Ports: '80,n,82 + 1 more...',
        Endpoints: '1.2.3.4,1.2.3.5,1.2.3.6 + 2 more...',
      });
    });
  });

  describe('Endpoints', () => {
    const path = async () => `/api/v1/namespaces/${await server.namespace()}/endpoints`;

    it('ports get a protocol; order and duplicates stay; a warning points to EndpointSlices', async () => {
      const subsets = [{ addresses: [{ ip: '1.2.3.5' }, { ip: '1.2.3.4' }, { ip: '1.2.3.4' }], ports: [{ port: 80 }] }];
      const answer = await tryCreate(server, await path(), { subsets });
      expect(answer.body.subsets).toEqual([{ ...subsets[0], ports: [{ port: 80, protocol: 'TCP' }] }]);
      expect(answer.headers.warning).toContain(
        'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
      );
      expect((await tryCreate(server, await path(), { subsets: [] })).body.subsets).toBeUndefined();
    });

    it('is refused with bad addresses or ports', async () => {
      const endpoints = await path();
      expect(refusals(await tryCreate(server, endpoints, { subsets: [{}] }))).toEqual([
        'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
      ]);
      const bad = {
        addresses: [{ ip: 'foo' }, { ip: '127.0.0.1', hostname: 'A_' }],
        ports: [{ port: 0 }, { port: 81, name: 'A_', protocol: 'X' }],
      };
      expect(refusals(await tryCreate(server, endpoints, { subsets: [bad] }))).toEqual([
        `subsets[0].addresses[0].ip: Invalid value: "foo": ${notAnAddress}`,
        'subsets[0].addresses[0].ip: Invalid value: "foo": must be a valid IP address',
        `subsets[0].addresses[1].hostname: Invalid value: "A_": ${labelHelp}`,
        `subsets[0].addresses[1].ip: Invalid value: "127.0.0.1": ${loopback}`,
        'subsets[0].ports[0].name: Required value',
        'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        `subsets[0].ports[1].name: Invalid value: "A_": ${labelHelp}`,
        `subsets[0].ports[1].protocol: Unsupported value: "X": ${supported}`,
      ]);
    });

    it('is shown in a table', async () => {
      const endpoints = await path();
      const row = async (name: string, subsets: unknown[]) => {
        await create(server, endpoints, { metadata: { name }, subsets });
        return cells(server, `${endpoints}/${name}`);
      };
      const ips = [1, 2, 3, 4, 5].map((i) => ({ ip: `1.2.3.${i}` }));
      expect(await row('a', [])).toEqual({ Name: 'a', Endpoints: '<none>' });
      expect(
        await row('b', [
          {
            addresses: ips,
            ports: [
              { port: 80, name: 'a' },
              { port: 81, name: 'b' },
            ],
          },
        ]),
      ).toEqual({
        Name: 'b',
        Endpoints: '1.2.3.1:80,1.2.3.2:80,1.2.3.3:80 + 7 more...',
      });
      expect(
        await row('c', [{ addresses: [{ ip: 'fd00::1' }] }, { addresses: [{ ip: 'fd00::2' }], ports: [{ port: 80 }] }]),
      ).toEqual({
        Name: 'c',
        Endpoints: 'fd00::1,[fd00::2]:80',
      });
      expect(await row('d', [{ notReadyAddresses: [{ ip: '1.1.1.1' }], ports: [{ port: 8 }] }])).toEqual({
        Name: 'd',
        Endpoints: '',
      });
    });
  });
});
