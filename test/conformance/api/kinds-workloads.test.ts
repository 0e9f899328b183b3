import { describe, expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';
import { cells, columns, create, edit, labelValueHelp, qualifiedHelp, refusals, tryCreate } from './kinds-support.ts';

const labels = { a: 'b' };
const selector = { matchLabels: labels };
const template = (spec: Record<string, unknown> = {}, templateLabels: Record<string, string> = labels) => ({
  metadata: { labels: templateLabels },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const minimal = { selector, template: template() };
const podSpec = {
  containers: [
    {
      name: 'c',
      image: 'i',
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: 'Always',
    },
  ],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  securityContext: {},
  schedulerName: 'default-scheduler',
};
const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } };
const full = {
  deployments: {
    replicas: 1,
    selector,
    template: { metadata: { labels }, spec: podSpec },
    strategy,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  },
  replicasets: { replicas: 1, selector, template: { metadata: { labels }, spec: podSpec } },
};
const notNegative = 'must be greater than or equal to 0';
const mismatch = (shown: unknown) =>
  `spec.template.metadata.labels: Invalid value: ${JSON.stringify(shown)}: \`selector\` does not match template \`labels\``;

describeWithServers('kinds of workloads', (server) => {
  for (const plural of ['deployments', 'replicasets'] as const) {
    const isDeployment = plural === 'deployments';
    const emptyStatus = isDeployment ? {} : { replicas: 0 };
    describe(isDeployment ? 'Deployment' : 'ReplicaSet', () => {
      const path = async () => `/apis/apps/v1/namespaces/${await server.namespace()}/${plural}`;

      it('is given defaults, without those that only Pods get', async () => {
        const body = { metadata: { generation: 5 }, spec: minimal, status: { replicas: 7 } };
        const answer = await tryCreate(server, await path(), body);
        expect(answer.body.spec).toEqual(full[plural]);
        expect(answer.body.status).toEqual(emptyStatus);
        expect(answer.body.metadata.generation).toBe(1);
      });

      it('limits do not become requests, nor container ports host ports, in a template', async () => {
        const containers = [
          { name: 'c', image: 'i:1', resources: { limits: { cpu: 1 } }, ports: [{ containerPort: 80 }] },
        ];
        const spec = {
          selector,
          template: template({ containers, hostNetwork: true, terminationGracePeriodSeconds: -1 }),
        };
        const { body } = await tryCreate(server, await path(), { spec });
        expect(body.spec).toMatchObject({
          template: {
            spec: {
              terminationGracePeriodSeconds: -1,
              containers: [
                {
                  imagePullPolicy: 'IfNotPresent',
                  resources: { limits: { cpu: '1' } },
                  ports: [{ containerPort: 80, protocol: 'TCP' }],
                },
              ],
            },
          },
        });
        expect(JSON.stringify(body.spec)).not.toMatch(/requests|hostPort/);
      });

      const refused: [string, Record<string, unknown>, string[]][] = [
        ['no selector', { template: template() }, ['spec.selector: Required value', mismatch(labels)]],
        [
          'an empty selector',
          { selector: {}, template: template() },
          ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
        ],
        [
          'a selector that does not match the template',
          { selector: { matchLabels: { a: 'c' } }, template: template() },
          [mismatch(labels)],
        ],
        ['no template', { selector }, [mismatch(null), 'spec.template.spec.containers: Required value']],
        [
          'negative numbers',
          { ...minimal, replicas: -1, minReadySeconds: -1 },
          [
            `spec.replicas: Invalid value: -1: ${notNegative}`,
            `spec.minReadySeconds: Invalid value: -1: ${notNegative}`,
          ],
        ],
        [
          'Pods that end',
          { selector, template: template({ restartPolicy: 'Never' }) },
          ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
        ],
        [
          'a deadline for Pods',
          { selector, template: template({ activeDeadlineSeconds: 5 }) },
          ['spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported'],
        ],
        [
          'bad containers',
          { selector, template: template({ containers: [{}] }) },
          [
            'spec.template.spec.containers[0].name: Required value',
            'spec.template.spec.containers[0].image: Required value',
          ],
        ],
        [
          'bad template labels',
          { selector, template: template({}, { a: 'b', 'c d': 'e' }) },
          [`spec.template.labels: Invalid value: "c d": ${qualifiedHelp}`],
        ],
        [
          'a bad selector',
          {
            selector: {
              matchExpressions: [
                { key: 'a', operator: 'In' },
                { key: 'b', operator: 'Foo' },
                { key: 'c', operator: 'Exists', values: ['x'] },
                { key: 'a', operator: 'In', values: ['b c'] },
              ],
            },
            template: template(),
          },
          [
            "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            'spec.selector.matchExpressions[1].operator: Invalid value: "Foo": not a valid selector operator',
            "spec.selector.matchExpressions[2].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            `spec.selector.matchExpressions[3].values[0]: Invalid value: "b c": ${labelValueHelp}`,
            'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"In"},{"key":"b","operator":"Foo"},{"key":"c","operator":"Exists","values":["x"]},{"key":"a","operator":"In","values":["b c"]}]}: invalid label selector',
          ],
        ],
      ];
      it.each(refused)('is refused: %s', async (_what, spec, expected) => {
        const answer = await tryCreate(server, await path(), { spec });
        expect(refusals(answer)).toEqual(expected);
      });

      it('the generation counts changes of the spec, and of a Deployment those of the annotations', async () => {
        const objects = await path();
        await create(server, objects, { spec: minimal });
        const generationAfter = async (change: Parameters<typeof edit>[2], subresource?: string) =>
          (await edit(server, `${objects}/x`, change, subresource)).body.metadata.generation;
        expect(await generationAfter(() => {})).toBe(1);
        expect(
          await generationAfter(({ metadata }) => {
            metadata.labels = { x: 'y' };
          }),
        ).toBe(1);
        expect(
          await generationAfter(({ spec }) => {
            spec.replicas = 3;
          }),
        ).toBe(2);
        expect(
          await generationAfter((object) => {
            object.status = { replicas: 2, readyReplicas: 1 };
          }, 'status'),
        ).toBe(2);
        expect(
          await generationAfter(({ metadata }) => {
            metadata.annotations = { x: 'y' };
          }),
        ).toBe(isDeployment ? 3 : 2);
      });

      it('the selector is for good', async () => {
        const objects = await path();
        await create(server, objects, { spec: { selector, template: template({}, { a: 'b', q: 'w' }) } });
        const answer = await edit(server, `${objects}/x`, ({ spec }) => {
          spec.selector = { matchLabels: { a: 'b', q: 'w' } };
        });
        expect(refusals(answer)).toEqual([
          'spec.selector: Invalid value: {"matchLabels":{"a":"b","q":"w"}}: field is immutable',
        ]);
      });

      it('status is written through its subresource alone, which changes nothing else but metadata', async () => {
        const objects = await path();
        await create(server, objects, { spec: minimal });
        const status = { replicas: 2, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1 };
        const main = await edit(server, `${objects}/x`, (object) => {
          object.status = status;
        });
        expect(main.body.status).toEqual(emptyStatus);
        const sub = await edit(
          server,
          `${objects}/x`,
          (object) => {
            object.status = status;
            object.spec.replicas = 9;
            Object.assign(object.metadata, { labels: { x: 'y' }, annotations: { x: 'y' } });
          },
          'status',
        );
        expect(sub.body.status).toEqual(status);
        expect(sub.body.spec.replicas).toBe(1);
        expect(sub.body.metadata.annotations).toEqual({ x: 'y' });
        expect(sub.body.metadata.labels).toEqual(isDeployment ? undefined : { x: 'y' });
      });

      it('a status is checked', async () => {
        const objects = await path();
        await create(server, objects, { spec: minimal });
        const answer = await edit(
          server,
          `${objects}/x`,
          (object) => {
            object.status = { replicas: 1, readyReplicas: 3, availableReplicas: 4 };
          },
          'status',
        );
        expect(refusals(answer)).toEqual([
          'status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas',
          'status.availableReplicas: Invalid value: 4: cannot be greater than status.replicas',
          'status.availableReplicas: Invalid value: 4: cannot be greater than readyReplicas',
        ]);
      });

      it('is scaled through its scale subresource', async () => {
        const objects = await path();
        const wide = {
          matchLabels: { a: 'b', z: 'y' },
          matchExpressions: [
            { key: 'a', operator: 'In', values: ['c', 'b'] },
            { key: 'z', operator: 'Exists' },
          ],
        };
        await create(server, objects, { spec: { selector: wide, template: template({}, { a: 'b', z: 'y' }) } });
        const { body: scale } = await server.get(`${objects}/x/scale`);
        expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 1 } });
        expect(scale.status).toEqual({ replicas: 0, selector: 'a=b,a in (b,c),z=y,z' });
        const scaled = await server.put(`${objects}/x/scale`, { ...scale, spec: { replicas: 4 } });
        expect(scaled.body.spec).toEqual({ replicas: 4 });
        const { body } = await server.get(`${objects}/x`);
        expect(body.spec.replicas).toBe(4);
        expect(body.metadata.generation).toBe(2);
      });

      it('is shown in a table', async () => {
        const objects = await path();
        const wide = ['Containers (wide)', 'Images (wide)', 'Selector (wide)'];
        const counts = isDeployment ? ['Ready', 'Up-to-date', 'Available'] : ['Desired', 'Current', 'Ready'];
        expect(await columns(server, objects)).toEqual(['Name', ...counts, 'Age', ...wide]);
        const containers = [
          { name: 'c', image: 'i' },
          { name: 'd', image: 'j:1' },
        ];
        const expressions = [
          { key: 'a', operator: 'In', values: ['c', 'b'] },
          { key: 'z', operator: 'DoesNotExist' },
        ];
        const mixed = { matchLabels: { b: 'c', a: 'b' }, matchExpressions: expressions };
        const spec = { replicas: 3, selector: mixed, template: template({ containers }, { a: 'b', b: 'c' }) };
        await create(server, objects, { spec });
        await edit(
          server,
          `${objects}/x`,
          (object) => {
            object.status = {
              replicas: 3,
              readyReplicas: 1,
              availableReplicas: 1,
              ...(isDeployment ? { updatedReplicas: 2 } : {}),
            };
          },
          'status',
        );
        const shown = isDeployment
          ? { Ready: '1/3', 'Up-to-date': 2, Available: 1 }
          : { Desired: 3, Current: 3, Ready: 1 };
        expect(await cells(server, `${objects}/x`)).toEqual({
          Name: 'x',
          ...shown,
          Containers: 'c,d',
          Images: 'i,j:1',
          Selector: 'a=b,a in (b,c),b=c,!z',
        });
      });
    });
  }

  describe('the strategy of a Deployment', () => {
    const path = async () => `/apis/apps/v1/namespaces/${await server.namespace()}/deployments`;
    const percent =
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
    const at = 'spec.strategy.rollingUpdate';

    it('what is left out of a rolling update is a quarter', async () => {
      const of = async (given: Record<string, unknown>) =>
        (await tryCreate(server, await path(), { spec: { ...minimal, strategy: given } })).body.spec.strategy;
      expect(await of({ rollingUpdate: { maxSurge: 1 } })).toEqual({
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: '25%', maxSurge: 1 },
      });
      expect(await of({ type: 'Recreate' })).toEqual({ type: 'Recreate' });
    });

    const refused: [string, Record<string, unknown>, string[]][] = [
      [
        'an unknown type',
        { strategy: { type: 'Foo' } },
        [
          'spec.strategy: Unsupported value: {"Type":"Foo","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
        ],
      ],
      [
        'a rolling update of Recreate',
        { strategy: { type: 'Recreate', rollingUpdate: {} } },
        [`${at}: Forbidden: may not be specified when strategy \`type\` is 'Recreate'`],
      ],
      [
        'no room to move',
        { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
        [`${at}.maxUnavailable: Invalid value: 0: may not be 0 when \`maxSurge\` is 0`],
      ],
      [
        'amounts that are none',
        { strategy: { rollingUpdate: { maxSurge: 'abc', maxUnavailable: '150%' } } },
        [
          `${at}.maxSurge: Invalid value: "abc": ${percent}`,
          `${at}.maxUnavailable: Invalid value: "150%": must not be greater than 100%`,
        ],
      ],
      [
        'less time than a Pod needs',
        { minReadySeconds: 600 },
        ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
      ],
    ];
    it.each(refused)('is refused: %s', async (_what, spec, expected) => {
      expect(refusals(await tryCreate(server, await path(), { spec: { ...minimal, ...spec } }))).toEqual(expected);
    });
  });
});
