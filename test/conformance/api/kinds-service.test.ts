import { expect, it } from 'vitest';
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
  selected,
  subdomainHelp,
  tryCreate,
} from './kinds-support.ts';

const port = { port: 80 };
const ports = [port];
const selector = { a: 'b' };
const fullPort = { protocol: 'TCP', port: 80, targetPort: 80 };
const base = {
  ports: [fullPort],
  clusterIP: expect.any(String),
  clusterIPs: [expect.any(String)],
  type: 'ClusterIP',
  sessionAffinity: 'None',
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
  internalTrafficPolicy: 'Cluster',
};
const nodePort = { ...fullPort, nodePort: expect.any(Number) };
const external = { externalTrafficPolicy: 'Cluster' };
const balanced = { ...base, ...external, type: 'LoadBalancer', allocateLoadBalancerNodePorts: true };
const portRange = 'must be between 1 and 65535, inclusive';
const onlyLoadBalancer = "Forbidden: may only be used when `type` is 'LoadBalancer'";
const notForExternalName = 'Forbidden: may not be set for ExternalName services';

describeWithServers('Service', (server) => {
  const path = async () => `/api/v1/namespaces/${await server.namespace()}/services`;

  const defaults: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['a plain Service', { ports }, base],
    ['a NodePort Service', { ports, type: 'NodePort' }, { ...base, ...external, type: 'NodePort', ports: [nodePort] }],
    ['a LoadBalancer Service', { ports, type: 'LoadBalancer' }, { ...balanced, ports: [nodePort] }],
    [
      'a LoadBalancer Service that keeps traffic local',
      { ports, type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      { ...balanced, ports: [nodePort], externalTrafficPolicy: 'Local', healthCheckNodePort: expect.any(Number) },
    ],
    [
      'a LoadBalancer Service without node ports',
      { ports, type: 'LoadBalancer', allocateLoadBalancerNodePorts: false },
      { ...balanced, allocateLoadBalancerNodePorts: false },
    ],
    [
      'a headless Service',
      { selector, clusterIP: 'None' },
      { ...base, ports: undefined, selector, clusterIP: 'None', clusterIPs: ['None'] },
    ],
    [
      'a headless Service without a selector',
      { ports, clusterIP: 'None' },
      {
        ...base,
        clusterIP: 'None',
        clusterIPs: ['None'],
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'RequireDualStack',
      },
    ],
    [
      'an ExternalName Service',
      { type: 'ExternalName', externalName: 'a.example.com.', internalTrafficPolicy: 'Cluster' },
      { type: 'ExternalName', sessionAffinity: 'None', externalName: 'a.example.com.' },
    ],
    [
      'client affinity',
      { ports, sessionAffinity: 'ClientIP' },
      { ...base, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } },
    ],
    [
      'an affinity time-out without affinity',
      { ports, sessionAffinityConfig: { clientIP: { timeoutSeconds: 3 } } },
      base,
    ],
    ['external IPs', { ports, externalIPs: ['1.2.3.4'] }, { ...base, ...external, externalIPs: ['1.2.3.4'] }],
    [
      'several ports',
      {
        ports: [
          { name: 'a', port: 80, targetPort: 'web', protocol: 'UDP', appProtocol: 'http' },
          { name: 'b', port: 81, targetPort: 0 },
        ],
      },
      {
        ...base,
        ports: [
          { name: 'a', port: 80, targetPort: 'web', protocol: 'UDP', appProtocol: 'http' },
          { name: 'b', port: 81, targetPort: 81, protocol: 'TCP' },
        ],
      },
    ],
    [
      'dual stack, IPv6 first',
      { ports, ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6'] },
      {
        ...base,
        clusterIPs: [expect.stringContaining(':'), expect.stringMatching(/^10\./)],
        ipFamilies: ['IPv6', 'IPv4'],
        ipFamilyPolicy: 'PreferDualStack',
      },
    ],
    ['empty and null fields', { ports, selector: {}, externalIPs: [], type: '', clusterIP: null }, base],
  ];
  it.each(defaults)('is given defaults: %s', async (_what, spec, expected) => {
    const { body } = await tryCreate(server, await path(), { spec });
    expect(body.spec).toEqual(expected);
    expect(body.status).toEqual({ loadBalancer: {} });
    expect(body.metadata.generation).toBeUndefined();
  });

  const refused: [string, Record<string, unknown>, string[]][] = [
    ['no ports', {}, ['spec.ports: Required value']],
    [
      'port 0',
      { ports: [{ port: 0 }] },
      [
        `spec.ports[0].port: Invalid value: 0: ${portRange}`,
        `spec.ports[0].targetPort: Invalid value: 0: ${portRange}`,
      ],
    ],
    [
      'a port too large',
      { ports: [{ port: 65536, targetPort: 1 }] },
      [`spec.ports[0].port: Invalid value: 65536: ${portRange}`],
    ],
    [
      'two unnamed ports',
      { ports: [{ port: 80 }, { port: 81 }] },
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'two ports of one name',
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'a' },
        ],
      },
      ['spec.ports[1].name: Duplicate value: "a"'],
    ],
    [
      'one port twice',
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 80, name: 'b' },
        ],
      },
      [
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      ],
    ],
    [
      'a bad port name',
      { ports: [{ port: 80, name: 'A_b' }] },
      [`spec.ports[0].name: Invalid value: "A_b": ${labelHelp}`],
    ],
    [
      'an unknown protocol',
      { ports: [{ port: 80, protocol: 'FOO' }] },
      ['spec.ports[0].protocol: Unsupported value: "FOO": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      'a target port that is no name',
      { ports: [{ port: 80, targetPort: 'Foo_' }] },
      [
        'spec.ports[0].targetPort: Invalid value: "Foo_": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ],
    ],
    [
      'a long target port',
      { ports: [{ port: 80, targetPort: 'abcdefghijklmnopq' }] },
      ['spec.ports[0].targetPort: Invalid value: "abcdefghijklmnopq": must be no more than 15 characters'],
    ],
    [
      'a bad appProtocol',
      { ports: [{ port: 80, appProtocol: 'a b' }] },
      [`spec.ports[0].appProtocol: Invalid value: "a b": ${qualifiedHelp}`],
    ],
    [
      'an unknown type',
      { ports, type: 'Foo' },
      [
        'spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      'an unknown affinity',
      { ports, sessionAffinity: 'Foo' },
      ['spec.sessionAffinity: Unsupported value: "Foo": supported values: "ClientIP", "None"'],
    ],
    [
      'an affinity of more than a day',
      { ports, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } },
      [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
      ],
    ],
    [
      'external IPs that cannot be reached',
      { ports, externalIPs: ['foo', '127.0.0.1', '0.0.0.0', '169.254.1.1', '224.0.0.1', '::1', '010.1.1.1'] },
      [
        `spec.externalIPs[0]: Invalid value: "foo": ${notAnAddress}`,
        `spec.externalIPs[1]: Invalid value: "127.0.0.1": ${loopback}`,
        'spec.externalIPs[2]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
        `spec.externalIPs[3]: Invalid value: "169.254.1.1": ${linkLocal}`,
        `spec.externalIPs[4]: Invalid value: "224.0.0.1": ${linkLocalMulticast}`,
        `spec.externalIPs[5]: Invalid value: "::1": ${loopback}`,
        'spec.externalIPs[6]: Invalid value: "010.1.1.1": must not have leading 0s',
      ],
    ],
    [
      'source ranges without a load balancer',
      { ports, loadBalancerSourceRanges: ['1.2.3.0/24'] },
      [`spec.LoadBalancerSourceRanges: ${onlyLoadBalancer}`],
    ],
    [
      'bad source ranges',
      { ports, type: 'LoadBalancer', loadBalancerSourceRanges: ['foo', '1.2.3.4/24', ' 1.2.3.0/24'] },
      [
        'spec.LoadBalancerSourceRanges[0]: Invalid value: "foo": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        'spec.LoadBalancerSourceRanges[1]: Invalid value: "1.2.3.4/24": must not have bits set beyond the prefix length',
      ],
    ],
    [
      'a class without a load balancer',
      { ports, loadBalancerClass: 'foo' },
      [`spec.loadBalancerClass: ${onlyLoadBalancer}`],
    ],
    [
      'node port allocation without a load balancer',
      { ports, allocateLoadBalancerNodePorts: true },
      [`spec.allocateLoadBalancerNodePorts: ${onlyLoadBalancer}`],
    ],
    ['an ExternalName without a name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
    [
      'an ExternalName that is none',
      { type: 'ExternalName', externalName: 'A_b' },
      [`spec.externalName: Invalid value: "A_b": ${subdomainHelp}`],
    ],
    [
      'an ExternalName with an address',
      { type: 'ExternalName', externalName: 'a.b', clusterIP: 'None' },
      [`spec.clusterIPs: ${notForExternalName}`],
    ],
    [
      'an ExternalName with families',
      { type: 'ExternalName', externalName: 'a.b', ipFamilies: ['IPv4'] },
      [`spec.ipFamilies: ${notForExternalName}`],
    ],
    [
      'an external traffic policy that nothing external uses',
      { ports, externalTrafficPolicy: 'Local' },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
    [
      'an unknown internal traffic policy',
      { ports, internalTrafficPolicy: 'Foo' },
      ['spec.internalTrafficPolicy: Unsupported value: "Foo": supported values: "Cluster", "Local"'],
    ],
    [
      'a health check port without a local load balancer',
      { ports, type: 'NodePort', healthCheckNodePort: 30001 },
      [
        "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ],
    ],
    [
      'a node port on a ClusterIP Service',
      { ports: [{ port: 80, nodePort: 30001 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'a headless NodePort Service',
      { ports, type: 'NodePort', clusterIP: 'None' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    [
      'a cluster IP that is none',
      { ports, clusterIP: 'foo' },
      [`spec.clusterIPs[0]: Invalid value: "foo": ${notAnAddress}`],
    ],
    [
      'clusterIPs unlike clusterIP',
      { ports, clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.6'] },
      ['spec.clusterIPs: Invalid value: ["10.96.0.6"]: first value must match `clusterIP`'],
    ],
    [
      'clusterIPs without clusterIP',
      { ports, clusterIPs: ['10.96.0.6'] },
      ['spec.clusterIPs: Invalid value: ["10.96.0.6"]: must be empty when `clusterIP` is not specified'],
    ],
    [
      'two addresses of one family',
      { ports, clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5', '10.96.0.6'] },
      ['spec.clusterIPs: Invalid value: ["10.96.0.5","10.96.0.6"]: may specify no more than one IP for each IP family'],
    ],
    [
      'two addresses without dual stack',
      { ports, clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', 'fd00:10:96::9'] },
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
      ],
    ],
    [
      'an address of another family than asked for',
      { ports, clusterIP: 'fd00:10:96::9', ipFamilies: ['IPv4'] },
      ['spec.clusterIPs[0]: Invalid value: "fd00:10:96::9": expected an IPv4 value as indicated by `ipFamilies[0]`'],
    ],
    ['a family twice', { ports, ipFamilies: ['IPv4', 'IPv4'] }, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']],
    [
      'an unknown family',
      { ports, ipFamilies: ['IPv5'] },
      ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'],
    ],
    [
      'an unknown family policy',
      { ports, ipFamilyPolicy: 'Foo' },
      [
        'spec.ipFamilyPolicy: Unsupported value: "Foo": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
      ],
    ],
    [
      'a bad selector',
      { ports, selector: { 'a b': 'c d' } },
      [
        `spec.selector: Invalid value: "a b": ${qualifiedHelp}`,
        `spec.selector: Invalid value: "c d": ${labelValueHelp}`,
      ],
    ],
    [
      'an unknown traffic distribution',
      { ports, trafficDistribution: 'Foo' },
      [
        'spec.trafficDistribution: Unsupported value: "Foo": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
      ],
    ],
  ];
  it.each(refused)('is refused: %s', async (_what, spec, expected) => {
    const answer = await tryCreate(server, await path(), { spec });
    expect(refusals(answer)).toEqual(expected);
    expect(answer.status).toBe(422);
    const list = expected.length === 1 ? expected[0] : `[${expected.join(', ')}]`;
    expect(answer.body.message).toBe(`Service "x" is invalid: ${list}`);
  });

  it('a body of another type is refused before any rule looks at it', async () => {
    const services = await path();
    const answer = await tryCreate(server, services, {
      kind: 'Service',
      apiVersion: 'v1',
      spec: { ports: [{ port: '80' }] },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.message).toBe(
      'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32',
    );
  });

  it('unknown fields are dropped, or refused when the client asks for it', async () => {
    const services = await path();
    const body = { metadata: { name: 'x', baz: 1 }, spec: { ports: [{ port: 80, foo: 1 }], bar: 2 } };
    const strict = await server.post(services, body, { dryRun: 'All', fieldValidation: 'Strict' });
    expect(strict.status).toBe(400);
    expect(strict.body.message).toBe(
      'Service in version "v1" cannot be handled as a Service: strict decoding error: unknown field "metadata.baz", unknown field "spec.ports[0].foo", unknown field "spec.bar"',
    );
    const lax = await server.post(services, body, { dryRun: 'All' });
    expect(lax.body.spec).toEqual(base);
  });

  it('a cluster IP and a node port belong to one Service at a time', async () => {
    const services = await path();
    const spec = { ports, type: 'NodePort' };
    const first = await create(server, services, { metadata: { name: 'first' }, spec });
    const { clusterIP } = first.spec;
    const [taken] = first.spec.ports as { nodePort: number }[];
    const sameIp = await server.post(services, { metadata: { name: 'second' }, spec: { ports, clusterIP } });
    expect(refusals(sameIp)).toEqual([
      `spec.clusterIPs: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: provided IP is already allocated`,
    ]);
    const samePort = { ...spec, ports: [{ port: 80, protocol: 'UDP', nodePort: taken?.nodePort }] };
    expect(refusals(await server.post(services, { metadata: { name: 'second' }, spec: samePort }))).toEqual([
      `spec.ports[0].nodePort: Invalid value: ${taken?.nodePort}: provided port is already allocated`,
    ]);
    await server.delete(`${services}/first`);
    const again = { ...samePort, clusterIP };
    expect((await server.post(services, { metadata: { name: 'second' }, spec: again })).status).toBe(201);
  });

  it.each(['1.2.3.4', '10.96.0.0', '10.96.255.255'])(
    'a cluster IP that no range has is refused: %s',
    async (clusterIP) => {
      // A dry run at the real server says it in other words.
      const answer = await server.post(await path(), { metadata: { name: 'x' }, spec: { ports, clusterIP } });
      expect(refusals(answer)).toEqual([
        `spec.clusterIPs: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: the provided network does not match the current range`,
      ]);
    },
  );

  it('a ServiceCIDR gives further cluster IPs while it is ready', async () => {
    const cidrs = '/apis/networking.k8s.io/v1/servicecidrs';
    const { name } = (
      await server.post(cidrs, { metadata: { generateName: 'more-' }, spec: { cidrs: ['10.200.7.0/28'] } })
    ).body.metadata;
    const services = await path();
    const ask = (clusterIP: string) =>
      server.post(services, { metadata: { generateName: 'x-' }, spec: { ports, clusterIP } });
    const refusal = (clusterIP: string) =>
      `spec.clusterIPs: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: the provided network does not match the current range`;
    try {
      // The real server takes note of it a moment later.
      await expect.poll(async () => refusals(await ask('10.200.7.1'))).toEqual([]);
      expect(refusals(await ask('10.200.7.15'))).toEqual([refusal('10.200.7.15')]);
      const condition = { type: 'Ready', status: 'False', reason: 'r', lastTransitionTime: '2024-01-01T00:00:00Z' };
      await server.patch(`${cidrs}/${name}/status`, 'merge', { status: { conditions: [condition] } });
      await expect.poll(async () => refusals(await ask('10.200.7.2'))).toEqual([refusal('10.200.7.2')]);
    } finally {
      await server.delete(`${cidrs}/${name}`);
    }
  });

  it('a node port outside of the range is refused', async () => {
    const spec = { type: 'NodePort', ports: [{ port: 80, nodePort: 1 }] };
    const answer = await server.post(await path(), { metadata: { name: 'x' }, spec });
    expect(refusals(answer)).toEqual([
      'spec.ports[0].nodePort: Invalid value: 1: provided port is not in the valid range. The range of valid ports is 30000-32767',
    ]);
  });

  it('TCP and UDP of one port share a node port, different ports do not', async () => {
    const services = await path();
    const numbers = async (name: string, list: unknown[]) => {
      const { spec } = await create(server, services, { metadata: { name }, spec: { type: 'NodePort', ports: list } });
      return new Set((spec.ports as { nodePort: number }[]).map((entry) => entry.nodePort)).size;
    };
    const udp = { name: 'b', protocol: 'UDP' };
    expect(
      await numbers('same', [
        { name: 'a', port: 53 },
        { ...udp, port: 53 },
      ]),
    ).toBe(1);
    expect(
      await numbers('different', [
        { name: 'a', port: 53 },
        { ...udp, port: 54 },
      ]),
    ).toBe(2);
  });

  const changes: [string, Record<string, unknown>, Record<string, unknown>, Record<string, unknown>][] = [
    ['nothing', { ports }, {}, base],
    [
      'leaving out what the server gave',
      { ports },
      { clusterIP: undefined, clusterIPs: undefined, ipFamilies: undefined, ipFamilyPolicy: undefined },
      base,
    ],
    ['to NodePort', { ports }, { type: 'NodePort' }, { ...base, ...external, type: 'NodePort', ports: [nodePort] }],
    ['from NodePort', { ports, type: 'NodePort' }, { type: 'ClusterIP' }, base],
    ['to LoadBalancer', { ports }, { type: 'LoadBalancer' }, { ...balanced, ports: [nodePort] }],
    [
      'from a local LoadBalancer to NodePort',
      { ports, type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      { type: 'NodePort' },
      { ...base, type: 'NodePort', externalTrafficPolicy: 'Local', ports: [nodePort] },
    ],
    [
      'from local to cluster-wide',
      { ports, type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      { externalTrafficPolicy: 'Cluster' },
      { ...balanced, ports: [nodePort] },
    ],
    [
      'to ExternalName',
      { ports, type: 'NodePort' },
      { type: 'ExternalName', externalName: 'a.b' },
      { ports: [fullPort], type: 'ExternalName', sessionAffinity: 'None', externalName: 'a.b' },
    ],
    [
      'from ExternalName',
      { type: 'ExternalName', externalName: 'a.b' },
      { type: 'ClusterIP', ports, externalName: undefined },
      base,
    ],
    [
      'affinity on',
      { ports },
      { sessionAffinity: 'ClientIP' },
      { ...base, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } },
    ],
    ['affinity off', { ports, sessionAffinity: 'ClientIP' }, { sessionAffinity: 'None' }, base],
    ['external IPs gone', { ports, externalIPs: ['1.2.3.4'] }, { externalIPs: undefined }, base],
    [
      'to dual stack',
      { ports },
      { ipFamilyPolicy: 'RequireDualStack' },
      {
        ...base,
        clusterIPs: [expect.any(String), expect.stringContaining(':')],
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'RequireDualStack',
      },
    ],
    ['to single stack', { ports, ipFamilyPolicy: 'PreferDualStack' }, { ipFamilyPolicy: 'SingleStack' }, base],
    [
      'the families of a headless Service',
      { ports, selector, clusterIP: 'None' },
      { ipFamilies: ['IPv6'] },
      { ...base, selector, clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv6'] },
    ],
  ];
  it.each(changes)('changes: %s', async (_what, spec, change, expected) => {
    const services = await path();
    await create(server, services, { spec });
    const answer = await edit(server, `${services}/x`, (service) => {
      Object.assign(service.spec, change);
    });
    expect(answer.body.message).toBeUndefined();
    expect(answer.body.spec).toEqual(expected);
  });

  it('node ports that an update leaves out are kept, by port name', async () => {
    const services = await path();
    const list = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ];
    const { spec } = await create(server, services, { spec: { type: 'NodePort', ports: list } });
    const byName = new Map(
      (spec.ports as { name: string; nodePort: number }[]).map((entry) => [entry.name, entry.nodePort]),
    );
    const { body } = await edit(server, `${services}/x`, (service) => {
      service.spec.ports = [
        { name: 'c', port: 81 },
        { name: 'b', port: 80 },
      ];
    });
    const [c, b] = body.spec.ports as { nodePort: number }[];
    expect(b?.nodePort).toBe(byName.get('b'));
    expect([...byName.values()]).not.toContain(c?.nodePort);
  });

  const fixed: [string, Record<string, unknown>, Record<string, unknown>, string[]][] = [
    [
      'another cluster IP',
      { ports },
      { clusterIP: '10.96.0.77' },
      ['spec.clusterIPs[0]: Invalid value: ["10.96.0.77"]: may not change once set'],
    ],
    [
      'giving up the cluster IP',
      { ports },
      { clusterIP: 'None', clusterIPs: ['None'] },
      ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set'],
    ],
    [
      'a node port where none may be',
      { ports, type: 'NodePort' },
      { type: 'ClusterIP', ports: [{ port: 80, nodePort: 30123 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'another load balancer class',
      { ports, type: 'LoadBalancer', loadBalancerClass: 'a.b/c' },
      { loadBalancerClass: 'a.b/d' },
      ['spec.loadBalancerClass: Invalid value: "a.b/d": may not change once set'],
    ],
    [
      'no load balancer class',
      { ports, type: 'LoadBalancer', loadBalancerClass: 'a.b/c' },
      { loadBalancerClass: undefined },
      ['spec.loadBalancerClass: Invalid value: null: may not change once set'],
    ],
    [
      'another health check port',
      { ports, type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
      { healthCheckNodePort: 30999 },
      ['spec.healthCheckNodePort: Forbidden: field is immutable'],
    ],
    [
      'source ranges that the type forbids',
      { ports, type: 'LoadBalancer', loadBalancerSourceRanges: ['1.2.3.0/24'] },
      { type: 'ClusterIP' },
      [`spec.LoadBalancerSourceRanges: ${onlyLoadBalancer}`],
    ],
    [
      'a second family without a policy for it',
      { ports },
      { ipFamilies: ['IPv4', 'IPv6'] },
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
      ],
    ],
    [
      'a headless Service to NodePort',
      { ports, clusterIP: 'None' },
      { type: 'NodePort' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
  ];
  it.each(fixed)('may not change: %s', async (_what, spec, change, expected) => {
    const services = await path();
    await create(server, services, { spec });
    const answer = await edit(server, `${services}/x`, (service) => {
      Object.assign(service.spec, change);
    });
    expect(refusals(answer)).toEqual(expected);
  });

  it('status is written through its subresource alone, and spec not through it', async () => {
    const services = await path();
    await create(server, services, {
      spec: { ports, type: 'LoadBalancer' },
      status: { loadBalancer: { ingress: [{ ip: '9.9.9.9' }] } },
    });
    const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'a.b' }] } };
    const served = { loadBalancer: { ingress: [{ ip: '1.2.3.4', ipMode: 'VIP' }, { hostname: 'a.b' }] } };
    const main = await edit(server, `${services}/x`, (service) => {
      service.status = status;
    });
    expect(main.body.status).toEqual({ loadBalancer: {} });
    const sub = await edit(
      server,
      `${services}/x`,
      (service) => {
        service.status = status;
        service.spec.selector = { x: 'y' };
        service.metadata.labels = { l: '1' };
      },
      'status',
    );
    expect(sub.body.status).toEqual(served);
    expect(sub.body.spec.selector).toBeUndefined();
    expect(sub.body.metadata.labels).toEqual({ l: '1' });
    const plain = await edit(server, `${services}/x`, (service) => {
      service.spec.type = 'ClusterIP';
    });
    expect(plain.body.status).toEqual({ loadBalancer: {} });
  });

  it('a status is checked', async () => {
    const services = await path();
    const put = async (ingress: unknown[]) =>
      refusals(
        await edit(
          server,
          `${services}/x`,
          (service) => {
            service.status = { loadBalancer: { ingress } };
          },
          'status',
        ),
      );
    await create(server, services, { spec: { ports } });
    expect(await put([{ ip: '1.2.3.4' }])).toEqual([
      "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
    ]);
    await edit(server, `${services}/x`, (service) => {
      service.spec.type = 'LoadBalancer';
    });
    expect(await put([{ ip: 'foo' }, { hostname: '1.2.3.4' }, { hostname: 'a.b', ipMode: 'VIP' }])).toEqual([
      `status.loadBalancer.ingress[0].ip: Invalid value: "foo": ${notAnAddress}`,
      'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      'status.loadBalancer.ingress[2].ipMode: Forbidden: may not be specified when `ip` is not set',
    ]);
  });

  const warned: [string, Record<string, unknown>, string][] = [
    [
      'external IPs',
      { ports, externalIPs: ['1.2.3.4'] },
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    ],
    [
      'the old word for the same zone',
      { ports, trafficDistribution: 'PreferClose' },
      'spec.trafficDistribution: \\"PreferClose\\" is deprecated; use \\"PreferSameZone\\"',
    ],
    [
      'an external name that nobody asks for',
      { ports, externalName: 'a.b' },
      'spec.externalName is ignored when spec.type is not \\"ExternalName\\"',
    ],
    [
      'affinity without a virtual IP',
      { ports, clusterIP: 'None', sessionAffinity: 'ClientIP' },
      'spec.SessionAffinity is ignored for headless services',
    ],
    [
      'another spelling of an address',
      { ports, clusterIP: 'FD00:10:96:0::9' },
      'spec.clusterIPs[0]: IPv6 address \\"FD00:10:96:0::9\\" should be in RFC 5952 canonical format (\\"fd00:10:96::9\\")',
    ],
  ];
  it.each(warned)('is taken with a warning: %s', async (_what, spec, expected) => {
    const answer = await tryCreate(server, await path(), { spec });
    expect(answer.status).toBe(201);
    expect(answer.headers.warning).toBe(`299 - "${expected}"`);
  });

  it('its name is a DNS label', async () => {
    const services = await path();
    const named = (name: string) => tryCreate(server, services, { metadata: { name }, spec: { ports } });
    expect((await named('1abc')).status).toBe(201);
    expect(refusals(await named('Abc'))).toEqual([`metadata.name: Invalid value: "Abc": ${labelHelp}`]);
    expect(refusals(await named('a'.repeat(64)))).toEqual([
      `metadata.name: Invalid value: "${'a'.repeat(64)}": must be no more than 63 characters`,
    ]);
  });

  it('a PUT to an absent name creates it', async () => {
    const services = await path();
    const answer = await server.put(`${services}/new`, { metadata: { name: 'new' }, spec: { ports } });
    expect(answer.status).toBe(201);
    expect(answer.body.spec).toEqual(base);
  });

  it('is shown in a table', async () => {
    const services = await path();
    expect(await columns(server, services)).toEqual([
      'Name',
      'Type',
      'Cluster-IP',
      'External-IP',
      'Port(s)',
      'Age',
      'Selector (wide)',
    ]);
    const row = async (name: string, spec: Record<string, unknown>) => {
      await create(server, services, { metadata: { name }, spec });
      return cells(server, `${services}/${name}`);
    };
    const mixed = [
      { port: 80, name: 'a' },
      { port: 53, protocol: 'UDP', name: 'b' },
    ];
    expect(await row('a', { ports: mixed, selector: { b: 'c', a: 'b' }, externalIPs: ['1.2.3.4', '1.2.3.1'] })).toEqual(
      {
        Name: 'a',
        Type: 'ClusterIP',
        'Cluster-IP': expect.stringMatching(/^10\.96\./),
        'External-IP': '1.2.3.4,1.2.3.1',
        'Port(s)': '80/TCP,53/UDP',
        Selector: 'a=b,b=c',
      },
    );
    expect(await row('b', { clusterIP: 'None' })).toMatchObject({
      'Cluster-IP': 'None',
      'External-IP': '<none>',
      'Port(s)': '<none>',
      Selector: '<none>',
    });
    expect(await row('c', { type: 'ExternalName', externalName: 'a.b' })).toMatchObject({
      'Cluster-IP': '<none>',
      'External-IP': 'a.b',
    });
    expect(await row('d', { type: 'LoadBalancer', ports })).toMatchObject({
      'External-IP': '<pending>',
      'Port(s)': expect.stringMatching(/^80:3\d{4}\/TCP$/),
    });
    await edit(
      server,
      `${services}/d`,
      (service) => {
        service.status = { loadBalancer: { ingress: [{ ip: '5.5.5.5' }, { hostname: 'a.b' }, { ip: '4.4.4.4' }] } };
      },
      'status',
    );
    expect(await cells(server, `${services}/d`)).toMatchObject({ 'External-IP': '4.4.4.4,5.5.5.5,a.b' });
  });

  it('is selected by cluster IP and type', async () => {
    const services = await path();
    await create(server, services, { metadata: { name: 'a' }, spec: { clusterIP: 'None' } });
    await create(server, services, { metadata: { name: 'b' }, spec: { ports, type: 'NodePort' } });
    expect(await selected(server, services, 'spec.clusterIP=None')).toEqual(['a']);
    expect(await selected(server, services, 'spec.type=NodePort')).toEqual(['b']);
    expect(await selected(server, services, 'spec.type!=NodePort')).toEqual(['a']);
  });
});
