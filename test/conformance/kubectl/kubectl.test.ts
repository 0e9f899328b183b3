import { describe, expect, it } from 'vitest';
import { describeWithBoth, describeWithServers } from '../api/harness.ts';
import { hasKubectl, kubectlFor, type Run } from './client.ts';

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

describe.skipIf(!hasKubectl)('kubectl', () => {
  describeWithServers('kubectl', (server) => {
    const kubectl = kubectlFor(server);

    it('takes a List, and takes back what it printed as one', async () => {
      const namespace = await server.namespace();
      const list = { apiVersion: 'v1', kind: 'List', items: [configMap('a'), configMap('b')] };
      const created = await kubectl(['-n', namespace, 'apply', '-f', '-'], list);
      expect(created).toMatchObject({ code: 0, stdout: 'configmap/a created\nconfigmap/b created\n' });
      const printed = await kubectl(['-n', namespace, 'get', 'cm', 'a', 'b', '-o', 'yaml']);
      const applied = await kubectl(['-n', namespace, 'apply', '-f', '-'], printed.stdout);
      expect(applied).toMatchObject({ code: 0, stdout: 'configmap/a configured\nconfigmap/b configured\n' });
    });

    it('has the items of a List validated by the server', async () => {
      const namespace = await server.namespace();
      const list = { apiVersion: 'v1', kind: 'List', items: [{ ...configMap('a'), date: { a: 'b' } }] };
      const { code, stderr } = await kubectl(['-n', namespace, 'create', '-f', '-'], list);
      expect([code, stderr.trim().split('\n').length]).toEqual([1, 1]);
      expect(stderr).toMatch(/unknown field "date"/);
    });

    it.each([
      ['v1', 'Foo'],
      ['v2', 'Service'],
      ['example.com/v1', 'Service'],
    ])('names a kind that is not served: %s %s', async (apiVersion, kind) => {
      const { code, stderr } = await kubectl(['create', '-f', '-'], { apiVersion, kind, metadata: { name: 'a' } });
      expect(code).toBe(1);
      expect(stderr).toContain(`no matches for kind "${kind}" in version "${apiVersion}"`);
    });

    it('shows how far a workload is scaled', async () => {
      const namespace = await server.namespace();
      await kubectl(['-n', namespace, 'create', 'deployment', 'd', '--image=i', '--replicas=3']);
      const scale = ['-n', namespace, 'get', 'deployment', 'd', '--subresource=scale'];
      expect((await kubectl(scale)).stdout).toMatch(/^NAME +DESIRED +AVAILABLE +AGE\nd +3 +0 +\d+s\n$/);
      expect((await kubectl([...scale, '-o', 'jsonpath={.kind} {.spec.replicas}'])).stdout).toBe('Scale 3');
    });

    it('explains a field, and names one that there is not', async () => {
      const { code, stdout } = await kubectl(['explain', 'services.spec.ports']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^FIELD: ports <\[\]ServicePort>$/m);
      expect(stdout).toMatch(/^ {2}targetPort\t<IntOrString>$/m);
      const wrong = await kubectl(['explain', 'services.spec.portz']);
      expect([wrong.code, wrong.stderr]).toEqual([1, 'error: field "portz" does not exist\n']);
    });
  });

  describeWithBoth('kubectl explain', (real, embedded) => {
    const askReal = kubectlFor(real);
    const askEmbedded = kubectlFor(embedded);

    it.each([
      'pods',
      'services',
      'endpointslices',
      'endpoints',
      'nodes',
      'namespaces',
      'events',
      'events.events.k8s.io',
      'leases',
      'deployments',
      'replicasets',
      'configmaps',
      'serviceaccounts',
      'servicecidrs',
    ])('names the same fields and types of %s', async (resource) => {
      const args = ['explain', '--recursive', resource];
      expect(fieldLines(await askEmbedded(args))).toEqual(fieldLines(await askReal(args)));
    });
  });

  describeWithServers(
    'kubectl and what the embedded server lacks',
    (server) => {
      const kubectl = kubectlFor(server);

      it.each([
        [['logs', 'p'], 'pods/log: there are no containers behind its Pods'],
        [['exec', 'p', '--', 'ls'], 'pods/exec: there are no containers behind its Pods'],
        [['attach', 'p'], 'pods/attach: there are no containers behind its Pods'],
        [['create', 'token', 'a'], 'serviceaccounts/token'],
      ])('%j says that it is not served', async (args, what) => {
        const namespace = await server.namespace();
        await kubectl(['-n', namespace, 'run', 'p', '--image=i']);
        await kubectl(['-n', namespace, 'create', 'sa', 'a']);
        const { code, stderr } = await kubectl(['-n', namespace, ...args]);
        expect([code, stderr.trim().split('\n').at(-1)]).toEqual([
          1,
          expect.stringContaining(`the embedded API server does not serve ${what}`),
        ]);
      });
    },
    { only: 'embedded' },
  );
});

/** `  name\t<type>` of every field, with its indent. */
function fieldLines({ stdout }: Run): string[] {
  return [...stdout.matchAll(/^( +\S+\t<.*?>)( -required-)?$/gm)].map(([, line = '']) => line);
}
