import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';
import {
  cells,
  columns,
  create,
  edit,
  qualifiedHelp,
  refusals,
  selected,
  subdomainHelp,
  tryCreate,
} from './kinds-support.ts';

const unique = (prefix: string) => `${prefix}-${randomUUID().slice(0, 8)}`;
const configKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

describeWithServers('smaller kinds', (server) => {
  describe('Namespace', () => {
    const path = '/api/v1/namespaces';

    it('has a phase, a finalizer, a label with its name, and no generation', async () => {
      const body = { metadata: { labels: { 'kubernetes.io/metadata.name': 'zzz' } }, status: { phase: 'Terminating' } };
      const answer = await tryCreate(server, path, body);
      expect(answer.body).toMatchObject({
        metadata: { labels: { 'kubernetes.io/metadata.name': 'x' } },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      });
      expect(answer.body.metadata.generation).toBeUndefined();
    });

    it('its name has no dots', async () => {
      expect(refusals(await tryCreate(server, path, { metadata: { name: 'a.b' } }))).toEqual([
        'metadata.name: Invalid value: "a.b": must not contain dots',
      ]);
    });

    it('an update keeps the finalizers, the status and the label', async () => {
      const name = await server.namespace();
      const { body } = await edit(server, `${path}/${name}`, (namespace) => {
        namespace.metadata.labels = { a: 'b' };
        namespace.spec = {};
        namespace.status = { phase: 'Terminating' };
      });
      expect(body).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
      expect(body.metadata.labels).toEqual({ a: 'b', 'kubernetes.io/metadata.name': name });
    });

    it('a living one cannot be marked as terminating', async () => {
      const name = await server.namespace();
      const put = (status: unknown) =>
        edit(server, `${path}/${name}`, (namespace) => void Object.assign(namespace, { status }), 'status');
      expect(refusals(await put({ phase: 'Terminating' }))).toEqual([
        `status.Phase: Invalid value: "Terminating": may only be 'Active' if \`deletionTimestamp\` is empty`,
      ]);
      const { body } = await put({ phase: 'Active', conditions: [{ type: 'A', status: 'True' }] });
      expect(body.status).toEqual({
        phase: 'Active',
        conditions: [{ type: 'A', status: 'True', lastTransitionTime: null }],
      });
    });

    it('is shown in a table and selected by phase', async () => {
      const name = await server.namespace();
      expect(await columns(server, path)).toEqual(['Name', 'Status', 'Age']);
      expect(await cells(server, `${path}/${name}`)).toEqual({ Name: name, Status: 'Active' });
      expect(await selected(server, path, 'status.phase=Active')).toContain(name);
    });
  });

  describe('Node', () => {
    const path = '/api/v1/nodes';
    const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

    /** Runs `use` with a node of its own. */
    const withNode = async (body: Record<string, unknown>, use: (path: string) => Promise<void>) => {
      const name = unique('node');
      await create(server, path, { ...body, metadata: { ...(body.metadata as object), name } });
      try {
        await use(`${path}/${name}`);
      } finally {
        await server.delete(`${path}/${name}`);
      }
    };

    it('starts tainted as not ready, with an empty description of itself', async () => {
      const { body } = await tryCreate(server, path, {});
      expect(body.spec).toEqual({ taints: [notReady] });
      expect(body.status).toMatchObject({
        daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
        nodeInfo: { kubeletVersion: '' },
      });
      expect(body.metadata.generation).toBeUndefined();
    });

    it('keeps the status it is created with; what is not said to be allocatable is all', async () => {
      const status = { capacity: { cpu: 4, memory: '8Gi' }, conditions: [{ type: 'Ready', status: 'True' }] };
      const { body } = await tryCreate(server, path, { status });
      expect(body.status).toMatchObject({
        capacity: { cpu: '4', memory: '8Gi' },
        allocatable: { cpu: '4', memory: '8Gi' },
        conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null }],
      });
    });

    it('podCIDR goes before podCIDRs', async () => {
      const spec = async (given: Record<string, unknown>) => (await tryCreate(server, path, { spec: given })).body.spec;
      expect(await spec({ podCIDR: '10.1.0.0/24' })).toMatchObject({ podCIDRs: ['10.1.0.0/24'] });
      expect(await spec({ podCIDRs: ['10.1.0.0/24', 'fd00::/64'] })).toMatchObject({ podCIDR: '10.1.0.0/24' });
      expect(await spec({ podCIDR: '10.2.0.0/24', podCIDRs: ['10.1.0.0/24'] })).toMatchObject({
        podCIDRs: ['10.2.0.0/24'],
      });
    });

    it('is refused with bad taints or CIDRs', async () => {
      const taints = [
        { key: 'a b', effect: 'Foo' },
        { key: 'a', effect: '' },
        { key: 'q', effect: 'NoSchedule' },
        { key: 'q', effect: 'NoSchedule', value: 'z' },
      ];
      expect(refusals(await tryCreate(server, path, { spec: { taints } }))).toEqual([
        `metadata.taints[0].key: Invalid value: "a b": ${qualifiedHelp}`,
        'metadata.taints[0].effect: Unsupported value: "Foo": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        'metadata.taints[1].effect: Required value',
        'metadata.taints[3]: Duplicate value: {"Key":"q","Value":"z","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
      ]);
      expect(refusals(await tryCreate(server, path, { spec: { podCIDRs: ['10.1.0.0/24', '10.2.0.0/24'] } }))).toEqual([
        'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: may specify no more than one CIDR for each IP family',
      ]);
    });

    it('its CIDRs and provider can be set once', async () => {
      await withNode({}, async (node) => {
        const set = (fields: Record<string, unknown>) =>
          edit(server, node, ({ spec }) => void Object.assign(spec, fields));
        expect((await set({ podCIDR: '10.1.0.0/24', providerID: 'a' })).status).toBe(200);
        const changed = await set({ podCIDR: '10.2.0.0/24', podCIDRs: ['10.2.0.0/24'], providerID: 'b' });
        expect(refusals(changed)).toEqual([
          'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
          'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
        ]);
      });
    });

    it('status is written through its subresource alone, and spec not through it', async () => {
      await withNode({}, async (node) => {
        const conditions = [{ type: 'Ready', status: 'True' }];
        const change = (object: Parameters<Parameters<typeof edit>[2]>[0]) => {
          Object.assign(object.status as object, { conditions });
          object.spec.unschedulable = true;
        };
        const main = await edit(server, node, change);
        expect(main.body.spec).toMatchObject({ unschedulable: true });
        expect(main.body.status).not.toHaveProperty('conditions');
        const sub = await edit(
          server,
          node,
          (object) => {
            change(object);
            delete object.spec.unschedulable;
          },
          'status',
        );
        expect(sub.body.spec).toMatchObject({ unschedulable: true });
        expect(sub.body.status).toHaveProperty('conditions');
      });
    });

    it('is shown in a table and selected by whether Pods may go there', async () => {
      const wide = ['Internal-IP', 'External-IP', 'OS-Image', 'Kernel-Version', 'Container-Runtime'].map(
        (name) => `${name} (wide)`,
      );
      expect(await columns(server, path)).toEqual(['Name', 'Status', 'Roles', 'Age', 'Version', ...wide]);
      await withNode({}, async (node) => {
        expect(await cells(server, node)).toMatchObject({
          Status: 'Unknown',
          Roles: '<none>',
          Version: '',
          'Internal-IP': '<none>',
          'OS-Image': '<unknown>',
        });
      });
      const labels = {
        'node-role.kubernetes.io/control-plane': '',
        'node-role.kubernetes.io/a': 'x',
        'kubernetes.io/role': 'zz',
      };
      const status = {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [
          { type: 'Hostname', address: 'h' },
          { type: 'InternalIP', address: '1.2.3.4' },
          { type: 'InternalIP', address: 'fd00::1' },
        ],
        nodeInfo: { kubeletVersion: 'v1.36.0', osImage: 'Debian' },
      };
      await withNode({ metadata: { labels }, spec: { unschedulable: true }, status }, async (node) => {
        expect(await cells(server, node)).toMatchObject({
          Status: 'Ready,SchedulingDisabled',
          Roles: 'a,control-plane,zz',
          Version: 'v1.36.0',
          'Internal-IP': '1.2.3.4',
          'External-IP': '<none>',
          'OS-Image': 'Debian',
        });
        expect(await selected(server, path, 'spec.unschedulable=true')).toContain(node.split('/').at(-1));
        expect(await selected(server, path, 'spec.unschedulable=false')).not.toContain(node.split('/').at(-1));
      });
    });
  });

  describe('ConfigMap and Secret', () => {
    const path = async (plural: string) => `/api/v1/namespaces/${await server.namespace()}/${plural}`;

    it('keys are checked, and may occur once', async () => {
      const configmaps = await path('configmaps');
      const data = { 'a b': 'c', '..x': 'd', '.': 'e', dup: '1' };
      const answer = await tryCreate(server, configmaps, { data, binaryData: { dup: 'AAA=' } });
      expect(new Set(refusals(answer))).toEqual(
        new Set([
          `data[a b]: Invalid value: "a b": ${configKey}`,
          `data[..x]: Invalid value: "..x": must not start with '..'`,
          `data[.]: Invalid value: ".": must not be '.'`,
          'data[dup]: Invalid value: "dup": duplicate of key present in binaryData',
        ]),
      );
    });

    it('binary data is base64', async () => {
      const answer = await tryCreate(server, await path('configmaps'), { binaryData: { d: '***' } });
      expect(answer.body).toMatchObject({
        code: 400,
        message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: illegal base64 data at input byte 0',
      });
    });

    it('more than a mebibyte is too much', async () => {
      const answer = await tryCreate(server, await path('configmaps'), { data: { d: 'x'.repeat(1024 * 1024 + 1) } });
      expect(refusals(answer)).toEqual(['[]: Too long: may not be more than 1048576 bytes']);
    });

    it('an immutable one stays as it is', async () => {
      const configmaps = await path('configmaps');
      await create(server, configmaps, { immutable: true, data: { a: 'b' } });
      const why = 'Forbidden: field is immutable when `immutable` is set';
      const change = (fields: Record<string, unknown>) =>
        edit(server, `${configmaps}/x`, (object) => void Object.assign(object, fields));
      expect(refusals(await change({ data: { a: 'c' } }))).toEqual([`data: ${why}`]);
      expect(refusals(await change({ immutable: false }))).toEqual([`immutable: ${why}`]);
      expect((await change({})).status).toBe(200);
    });

    it('a Secret is opaque unless it says what it is; text is put into its data', async () => {
      const secrets = await path('secrets');
      const { body } = await tryCreate(server, secrets, { stringData: { a: 'b' }, data: { a: 'AAA=', c: 'ZA==' } });
      expect(body).toMatchObject({ type: 'Opaque', data: { a: 'Yg==', c: 'ZA==' } });
      expect(body).not.toHaveProperty('stringData');
      expect(refusals(await tryCreate(server, secrets, { type: 'kubernetes.io/tls' }))).toEqual([
        'data[tls.crt]: Required value',
        'data[tls.key]: Required value',
      ]);
      await create(server, secrets, {});
      const changed = await edit(server, `${secrets}/x`, (secret) => void Object.assign(secret, { type: 'foo' }));
      expect(refusals(changed)).toEqual(['type: Invalid value: "foo": field is immutable']);
      expect(await selected(server, secrets, 'type=Opaque')).toEqual(['x']);
    });

    it('are shown in tables', async () => {
      const namespace = `/api/v1/namespaces/${await server.namespace()}`;
      await create(server, `${namespace}/configmaps`, { data: { a: '1', b: '2' }, binaryData: { c: 'AAA=' } });
      await create(server, `${namespace}/secrets`, { data: { a: 'AAA=' } });
      await create(server, `${namespace}/serviceaccounts`, {
        secrets: [{ name: 'x' }],
        automountServiceAccountToken: false,
      });
      expect(await cells(server, `${namespace}/configmaps/x`)).toEqual({ Name: 'x', Data: 3 });
      expect(await cells(server, `${namespace}/secrets/x`)).toEqual({ Name: 'x', Type: 'Opaque', Data: 1 });
      expect(await cells(server, `${namespace}/serviceaccounts/x`)).toEqual({ Name: 'x' });
      const account = (await server.get(`${namespace}/serviceaccounts/x`)).body;
      expect(account).toMatchObject({ secrets: [{ name: 'x' }], automountServiceAccountToken: false });
    });
  });

  describe('Lease', () => {
    const path = async () => `/apis/coordination.k8s.io/v1/namespaces/${await server.namespace()}/leases`;

    it('times have microseconds and become UTC; zero is kept', async () => {
      const spec = {
        holderIdentity: '',
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        renewTime: '2024-01-01T00:00:00.123456+02:00',
      };
      const { body } = await tryCreate(server, await path(), { spec });
      expect(body.spec).toEqual({ ...spec, renewTime: '2023-12-31T22:00:00.123456Z' });
      expect(body.metadata.generation).toBeUndefined();
      expect((await tryCreate(server, await path(), {})).body.spec).toEqual({});
      expect((await tryCreate(server, await path(), { spec: { renewTime: '2024-01-01T00:00:00Z' } })).status).toBe(400);
    });

    it('is refused with numbers that make no sense', async () => {
      expect(
        refusals(await tryCreate(server, await path(), { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } })),
      ).toEqual([
        'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
        'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
      ]);
    });

    it('a PUT creates it, but replaces it only when it says what it replaces', async () => {
      const leases = await path();
      const body = { metadata: { name: 'x' }, spec: { holderIdentity: 'a' } };
      const created = await server.put(`${leases}/x`, body);
      expect(created.status).toBe(201);
      expect(refusals(await server.put(`${leases}/x`, body))).toEqual([
        'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      ]);
      expect((await server.put(`${leases}/x`, created.body)).status).toBe(200);
      expect(await cells(server, `${leases}/x`)).toEqual({ Name: 'x', Holder: 'a' });
    });
  });

  describe('Event', () => {
    const newForm = {
      eventTime: '2024-01-01T00:00:00.000000Z',
      reportingController: 'a.b/c',
      reportingInstance: 'i',
      action: 'A',
      reason: 'R',
      type: 'Normal',
      note: 'n',
    };
    const paths = async () => {
      const namespace = await server.namespace();
      return {
        namespace,
        core: `/api/v1/namespaces/${namespace}/events`,
        events: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
        about: { kind: 'Pod', namespace, name: 'p' },
      };
    };

    it('the core form always shows its times and its reporter', async () => {
      const { core, about } = await paths();
      const { body } = await tryCreate(server, core, { involvedObject: about });
      expect(body).toMatchObject({
        involvedObject: about,
        source: {},
        firstTimestamp: null,
        lastTimestamp: null,
        eventTime: null,
        reportingComponent: '',
        reportingInstance: '',
      });
    });

    it('is about something in its own namespace', async () => {
      const { core } = await paths();
      expect(refusals(await tryCreate(server, core, { involvedObject: { kind: 'Pod', namespace: 'other' } }))).toEqual([
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
      ]);
      expect(refusals(await tryCreate(server, core, { involvedObject: { kind: 'Node', name: 'n' } }))).toEqual([
        'involvedObject.namespace: Invalid value: "": does not match event.namespace',
      ]);
      const inDefault = await tryCreate(server, '/api/v1/namespaces/default/events', {
        involvedObject: { kind: 'Node', name: 'n' },
      });
      expect(inDefault.status).toBe(201);
    });

    it('an event with an eventTime must be complete, in either group', async () => {
      const { core, events, about } = await paths();
      const half = { involvedObject: about, reason: 'R', eventTime: newForm.eventTime };
      expect(refusals(await tryCreate(server, core, half))).toEqual([
        'reportingComponent: Required value',
        'reportingComponent: Invalid value: "": name part must be non-empty',
        `reportingComponent: Invalid value: "": ${qualifiedHelp}`,
        'reportingInstance: Required value',
        'action: Required value',
      ]);
      expect(refusals(await tryCreate(server, events, { regarding: about }))).toEqual([
        'eventTime: Required value',
        'type: Invalid value: "": has invalid value: ',
      ]);
      const old = {
        deprecatedCount: 1,
        deprecatedSource: { component: 'c' },
        deprecatedFirstTimestamp: '2024-01-01T00:00:00Z',
      };
      expect(
        refusals(await tryCreate(server, events, { ...newForm, ...old, regarding: about, note: 'n'.repeat(1025) })),
      ).toEqual([
        'message: Invalid value: "": can have at most 1024 characters',
        'firstTimestamp: Invalid value: "": needs to be unset',
        'count: Invalid value: "": needs to be unset',
        'source: Invalid value: "": needs to be unset',
      ]);
    });

    it('an event of one group is the same event in the other', async () => {
      const { core, events, about } = await paths();
      await create(server, core, {
        metadata: { name: 'old' },
        involvedObject: about,
        reason: 'R',
        message: 'm',
        type: 'Normal',
        source: { component: 'c', host: 'h' },
        firstTimestamp: '2024-01-01T00:00:00Z',
        lastTimestamp: '2024-01-02T00:00:00Z',
        count: 2,
      });
      const { body: asNew } = await server.get(`${events}/old`);
      expect(asNew).toMatchObject({
        kind: 'Event',
        apiVersion: 'events.k8s.io/v1',
        eventTime: null,
        reason: 'R',
        regarding: about,
        note: 'm',
        deprecatedSource: { component: 'c', host: 'h' },
        deprecatedFirstTimestamp: '2024-01-01T00:00:00Z',
        deprecatedLastTimestamp: '2024-01-02T00:00:00Z',
        deprecatedCount: 2,
      });
      for (const field of ['message', 'count', 'reportingController', 'reportingInstance'])
        expect(asNew).not.toHaveProperty(field);

      await create(server, events, { metadata: { name: 'new' }, ...newForm, regarding: about });
      expect((await server.get(`${core}/new`)).body).toMatchObject({
        apiVersion: 'v1',
        involvedObject: about,
        message: 'n',
        source: {},
        firstTimestamp: null,
        reportingComponent: 'a.b/c',
      });
    });

    it('through events.k8s.io only the series changes, through core anything', async () => {
      const { core, events, about } = await paths();
      await create(server, events, { ...newForm, regarding: about });
      const series = { count: 2, lastObservedTime: '2024-01-01T00:00:01.000000Z' };
      const counted = await edit(server, `${events}/x`, (event) => void Object.assign(event, { series }));
      expect(counted.body.series).toEqual(series);
      const changed = await edit(
        server,
        `${events}/x`,
        (event) => void Object.assign(event, { note: 'other', reason: 'S' }),
      );
      expect(refusals(changed)).toEqual([
        'reason: Invalid value: "S": field is immutable',
        'message: Invalid value: "other": field is immutable',
        'reason: Invalid value: "S": field is immutable',
      ]);
      expect(changed.body.message).toBe(
        'Event "x" is invalid: [reason: Invalid value: "S": field is immutable, message: Invalid value: "other": field is immutable]',
      );
      const viaCore = await edit(server, `${core}/x`, (event) => void Object.assign(event, { message: 'other' }));
      expect(viaCore.body.message).toBe('other');
      expect((await server.get(`${events}/x`)).body.note).toBe('other');
    });

    it('is shown in a table, the same in both groups', async () => {
      const { core, events, about } = await paths();
      expect(await columns(server, core)).toEqual([
        'Last Seen',
        'Type',
        'Reason',
        'Object',
        'Subobject (wide)',
        'Source (wide)',
        'Message',
        'First Seen (wide)',
        'Count (wide)',
        'Name (wide)',
      ]);
      await create(server, events, {
        metadata: { name: 'a' },
        ...newForm,
        note: ' n ',
        regarding: { ...about, fieldPath: 'f' },
      });
      const row = await cells(server, `${core}/a`);
      expect(row).toMatchObject({
        Type: 'Normal',
        Reason: 'R',
        Object: 'pod/p',
        Subobject: 'f',
        Source: 'a.b/c, i',
        Message: 'n',
        Count: 1,
        Name: 'a',
      });
      expect(await cells(server, `${events}/a`)).toEqual(row);
      await create(server, core, {
        metadata: { name: 'b' },
        involvedObject: about,
        source: { component: 'c' },
        count: 3,
      });
      expect(await cells(server, `${core}/b`)).toMatchObject({
        'Last Seen': '<unknown>',
        'First Seen': '<unknown>',
        Source: 'c',
        Count: 3,
      });
    });

    it('is selected by what it is about, by each group in its own words', async () => {
      const { core, events, about } = await paths();
      await create(server, core, {
        metadata: { name: 'a' },
        involvedObject: about,
        reason: 'R',
        type: 'Normal',
        source: { component: 's' },
      });
      await create(server, core, { metadata: { name: 'b' }, involvedObject: { ...about, name: 'q', uid: 'u' } });
      const table: [string, string, string[]][] = [
        [core, 'involvedObject.kind=Pod', ['a', 'b']],
        [core, 'involvedObject.name=p', ['a']],
        [core, 'involvedObject.uid=u,involvedObject.name=q', ['b']],
        [core, 'reason=R', ['a']],
        [core, 'type!=Normal', ['b']],
        [core, 'source=s', ['a']],
        [events, 'regarding.name=p', ['a']],
        [events, 'reason=R,type=Normal', ['a']],
      ];
      for (const [path, selector, names] of table)
        expect([selector, await selected(server, path, selector)]).toEqual([selector, names]);
      const foreign = await server.get(events, { fieldSelector: 'involvedObject.name=p' });
      expect(foreign.body).toMatchObject({ code: 400, message: 'field label not supported: involvedObject.name' });
    });
  });

  describe('ServiceCIDR', () => {
    const path = '/apis/networking.k8s.io/v1/servicecidrs';

    it('is refused when it is not one CIDR for a family, in its proper spelling', async () => {
      const of = async (...cidrs: string[]) => refusals(await tryCreate(server, path, { spec: { cidrs } }));
      expect(await of('192.168.0.0/24', 'fd00:1::/112')).toEqual([]);
      expect(await of()).toEqual(['spec.cidrs: Required value: at least one CIDR required']);
      expect(await of('192.168.0.0/24', 'fd00::/112', '10.1.0.0/24')).toEqual([
        'spec.cidrs: Invalid value: {"CIDRs":["192.168.0.0/24","fd00::/112","10.1.0.0/24"]}: may only hold up to 2 values',
      ]);
      expect(await of('192.168.0.0/24', '10.1.0.0/24')).toEqual([
        'spec.cidrs: Invalid value: ["192.168.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ]);
      expect(await of('FD00:0::/112')).toEqual([
        'spec.cidrs[0]: Invalid value: "FD00:0::/112": must be in canonical form ("fd00::/112")',
      ]);
    });

    it('its CIDRs stay, one of the other family may come; status leaves spec and labels alone', async () => {
      const name = unique('cidr');
      await create(server, path, {
        metadata: { name },
        spec: { cidrs: ['192.168.7.0/24'] },
        status: { conditions: [] },
      });
      try {
        const set = (cidrs: string[] | undefined) =>
          edit(server, `${path}/${name}`, ({ spec }) => void Object.assign(spec, { cidrs }));
        expect(refusals(await set(['192.168.8.0/24']))).toEqual([
          'spec.cidrs[0]: Invalid value: "192.168.8.0/24": field is immutable',
        ]);
        expect(refusals(await set(undefined))).toEqual(['spec.cidrs: Invalid value: null: field is immutable']);
        expect((await set(['192.168.7.0/24', 'fd00:7::/112'])).status).toBe(200);
        const conditions = [
          { type: 'Ready', status: 'True', reason: 'r', message: '', lastTransitionTime: '2024-01-01T00:00:00Z' },
        ];
        const { body } = await edit(
          server,
          `${path}/${name}`,
          (object) => {
            object.status = { conditions };
            object.metadata.labels = { a: 'b' };
            object.spec = { cidrs: ['1.0.0.0/8'] };
          },
          'status',
        );
        expect(body.status).toEqual({ conditions });
        expect(body.spec).toEqual({ cidrs: ['192.168.7.0/24', 'fd00:7::/112'] });
        expect(body.metadata.labels).toBeUndefined();
        expect(await cells(server, `${path}/${name}`)).toEqual({ Name: name, CIDRs: '192.168.7.0/24,fd00:7::/112' });
      } finally {
        await server.delete(`${path}/${name}`);
      }
    });
  });

  describe('RBAC', () => {
    const group = 'rbac.authorization.k8s.io';
    const root = `/apis/${group}/v1`;
    const at = { apiGroup: group, kind: 'ClusterRole', name: 'x' };

    it('a role without rules has null; its name may be anything in a path', async () => {
      const { body } = await tryCreate(server, `${root}/clusterroles`, { metadata: { name: 'system:A_b' } });
      expect(body).toMatchObject({ metadata: { name: 'system:A_b' }, rules: null });
      expect(refusals(await tryCreate(server, `${root}/clusterroles`, { metadata: { name: 'a/b%' } }))).toEqual([
        `metadata.name: Invalid value: "a/b%": may not contain '/'`,
        `metadata.name: Invalid value: "a/b%": may not contain '%'`,
      ]);
    });

    it('rules are checked', async () => {
      const rules = [
        {},
        { verbs: ['get'], apiGroups: [''] },
        { verbs: ['get'], nonResourceURLs: ['/x'], resources: ['y'], apiGroups: [''] },
      ];
      expect(refusals(await tryCreate(server, `${root}/clusterroles`, { rules }))).toEqual([
        'rules[0].verbs: Required value: verbs must contain at least one value',
        'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[0].resources: Required value: resource rules must supply at least one resource',
        'rules[1].resources: Required value: resource rules must supply at least one resource',
        'rules[2].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
      ]);
      const roles = `${root}/namespaces/${await server.namespace()}/roles`;
      expect(
        refusals(await tryCreate(server, roles, { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] })),
      ).toEqual([
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
      ]);
    });

    it('groups of users are filled in, and bindings checked', async () => {
      const path = `${root}/clusterrolebindings`;
      const subjects = [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
      ];
      const { body } = await tryCreate(server, path, { roleRef: { kind: 'ClusterRole', name: 'x' }, subjects });
      expect(body).toMatchObject({
        roleRef: at,
        subjects: [{ kind: 'User', name: 'u', apiGroup: group }, subjects[1]],
      });
      const bad = {
        roleRef: { apiGroup: 'foo', kind: 'Role', name: '' },
        subjects: [
          { kind: 'Foo', name: '' },
          { kind: 'ServiceAccount', name: 'S_' },
        ],
      };
      expect(refusals(await tryCreate(server, path, bad))).toEqual([
        `roleRef.apiGroup: Unsupported value: "foo": supported values: "${group}"`,
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        'roleRef.name: Required value',
        'subjects[0].name: Required value',
        'subjects[0].kind: Unsupported value: "Foo": supported values: "ServiceAccount", "User", "Group"',
        `subjects[1].name: Invalid value: "S_": ${subdomainHelp}`,
        'subjects[1].namespace: Required value',
      ]);
    });

    it('a binding keeps its role and is shown in a table', async () => {
      const path = `${root}/clusterrolebindings`;
      const name = unique('binding');
      const subjects = [
        { kind: 'User', name: 'u' },
        { kind: 'User', name: 'v' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
      ];
      await create(server, path, { metadata: { name }, roleRef: at, subjects });
      try {
        const changed = await edit(
          server,
          `${path}/${name}`,
          (binding) => void Object.assign(binding, { roleRef: { ...at, name: 'y' } }),
        );
        expect(refusals(changed)).toEqual([
          `roleRef: Invalid value: {"APIGroup":"${group}","Kind":"ClusterRole","Name":"y"}: cannot change roleRef`,
        ]);
        expect(await cells(server, `${path}/${name}`)).toEqual({
          Name: name,
          Role: 'ClusterRole/x',
          Users: 'u, v',
          Groups: '',
          ServiceAccounts: 'n/s',
        });
      } finally {
        await server.delete(`${path}/${name}`);
      }
    });
  });

  describe('metadata of every kind', () => {
    it('labels, annotations, finalizers and owners are checked', async () => {
      const path = `/api/v1/namespaces/${await server.namespace()}/services`;
      const refused = async (metadata: Record<string, unknown>) =>
        refusals(await tryCreate(server, path, { metadata, spec: { ports: [{ port: 80 }] } }));
      expect(await refused({ labels: { 'n/l': 'y'.repeat(64) } })).toEqual([
        `metadata.labels: Invalid value: "${'y'.repeat(64)}": must be no more than 63 bytes`,
      ]);
      expect(await refused({ annotations: { 'a b': 'c', UPPER: 'z' } })).toEqual([
        `metadata.annotations: Invalid value: "a b": ${qualifiedHelp}`,
      ]);
      expect(await refused({ finalizers: ['foo'] })).toEqual([
        'metadata.finalizers[0]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
      ]);
      expect(await refused({ ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] })).toEqual([
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
        'metadata.ownerReferences.name: Invalid value: "": must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      ]);
      expect(await refused({ name: '' })).toEqual(['metadata.name: Required value: name or generateName is required']);
    });
  });
});
