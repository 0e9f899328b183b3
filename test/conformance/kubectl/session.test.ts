import { describe, expect, it } from 'vitest';
import { describeWithBoth, describeWithServers, type TestServer } from '../api/harness.ts';
import { hasKubectl, type Kubectl, kubectlFor, type Run } from './client.ts';

const web = (more: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', ...metadata },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...more },
});
const deployment = (labels: object = { app: 'd' }) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: {
    selector: { matchLabels: { app: 'd' } },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'c', image: 'i:1', ports: [{ containerPort: 80 }] }] },
    },
  },
});
const slice = (addresses: string[]) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-a', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  endpoints: [{ addresses, conditions: { ready: true } }],
});
const patch = (type: string, change: unknown) => [
  'patch',
  'svc',
  'web',
  `--type=${type}`,
  '-p',
  JSON.stringify(change),
];

interface Step {
  args: string[];
  stdin: unknown;
  /** Exit code. */
  code: 0 | 1;
}

/** `args`: in one string where no argument has a space in it. */
function works(args: string | string[], stdin?: unknown): Step {
  return { args: typeof args === 'string' ? args.split(' ') : args, stdin, code: 0 };
}

function fails(...step: Parameters<typeof works>): Step {
  return { ...works(...step), code: 1 };
}

/** What people do with kubectl, right and wrong, one step after the other. */
const steps: Step[] = [
  works('apply -f -', web()),
  works('apply -f -', web()),
  works('apply -f -', web({ ports: [{ name: 'http', port: 81 }] })),
  works('diff -f -', web({ ports: [{ name: 'http', port: 81 }] })),
  fails('diff -f -', web({ ports: [{ name: 'http', port: 83 }] })),
  fails('apply --server-side --field-manager=other -f -', { ...web(), spec: { selector: { app: 'other' } } }),
  works('apply --server-side --field-manager=other --force-conflicts -f -', {
    ...web(),
    spec: { selector: { app: 'other' } },
  }),
  works('apply --dry-run=server -f -', web({ ports: [{ name: 'http', port: 82 }] })),
  works('get svc web -o yaml'),
  works('get svc web -o json'),
  works('get svc web -o wide'),
  works('get svc -o name'),
  works('get svc --show-labels'),
  works('get svc web -o jsonpath={.spec.ports[0].port}'),
  fails('get svc nosuch'),
  fails('get nosuch'),
  works('get svc --field-selector=spec.type=ClusterIP'),
  fails('get svc --field-selector=spec.bogus=1'),
  fails(['get', 'svc', '-l', 'app in (a']),
  works('describe svc web'),
  works(patch('merge', { metadata: { annotations: { x: 'y' } } })),
  works(patch('strategic', { spec: { ports: [{ name: 'more', port: 443 }] } })),
  works(patch('json', [{ op: 'replace', path: '/spec/ports/0/port', value: 8080 }])),
  fails(patch('json', [{ op: 'test', path: '/spec/ports/0/port', value: 1 }])),
  fails(patch('merge', { spec: { clusterIP: '10.96.0.99' } })),
  works(patch('merge', { spec: { bogus: 1 } })),
  works('label svc web a=b'),
  fails('label svc web a=c'),
  works('label svc web a=c --overwrite'),
  fails(['label', 'svc', 'web', 'bad key=1']),
  works('annotate svc web x-'),
  works('create -f -', deployment()),
  fails('create -f -', deployment({ app: 'other' })),
  works('scale deploy d --replicas=3'),
  fails('scale deploy d --replicas=1 --current-replicas=7'),
  fails('scale svc web --replicas=1'),
  works('get deploy d -o wide'),
  works('describe deploy d'),
  works('set image deploy/d c=i:2'),
  works('rollout history deploy/d'),
  works('rollout pause deploy/d'),
  works('rollout resume deploy/d'),
  works('expose deploy d --port=80 --type=NodePort'),
  works('run p --image=i'),
  fails('run p --image=i'),
  works('get pods -o wide'),
  works('describe pod p'),
  works('delete pod p --grace-period=0 --force'),
  works('apply -f -', slice(['10.1.0.1'])),
  fails('apply -f -', slice(['::1'])),
  works('get endpointslices'),
  works('describe endpointslice web-a'),
  works('create cm c --from-literal=k=v'),
  fails('create cm c --from-literal=k=v'),
  works('describe cm c'),
  works('create secret generic s --from-literal=k=v'),
  works('get secret s -o yaml'),
  works('create sa a'),
  works('describe sa a'),
  works('create svc externalname e --external-name=example.com'),
  works('create svc loadbalancer l --tcp=80:80'),
  works('create svc clusterip h --clusterip=None --tcp=80'),
  fails('create svc nodeport n --tcp=80 --node-port=80'),
  works('get svc e h'),
  fails('get --raw /nosuch'),
  fails('top pods'),
  works('auth can-i create pods'),
  fails('wait --for=condition=Available deploy/d --timeout=1s'),
  works('wait --for=jsonpath={.spec.replicas}=3 deploy/d --timeout=5s'),
  fails('apply -f -', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'b' },
    spec: { ports: [{ port: '80' }] },
  }),
  fails('apply -f -', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'b' }, spec: { portz: [] } }),
  fails('apply -f -', { kind: 'Service', metadata: { name: 'b' } }),
  fails('apply -f -', 'not: [yaml'),
  fails('apply -f -', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' }, spec: { containers: [] } }),
  fails('apply -f -', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' }, data: { a: 1 } }),
  works('delete svc web --dry-run=server'),
  works('delete svc web'),
  fails('delete svc web'),
  works('delete svc web --ignore-not-found'),
  works('wait --for=delete svc/web --timeout=5s'),
  works('delete svc,deploy,cm --all'),
];

describe.skipIf(!hasKubectl)('a session with kubectl', () => {
  describeWithServers(
    'every command',
    (server) => {
      const kubectl = kubectlFor(server);

      it('works or fails as it should', { timeout: 120_000 }, async () => {
        const namespace = await server.namespace();
        for (const { args, stdin, code } of steps) {
          const run = await kubectl(['-n', namespace, ...args], stdin);
          expect.soft(run, `kubectl ${args.join(' ')}`).toMatchObject({ code });
        }
      });
    },
    { only: 'embedded' },
  );

  describeWithBoth('every command', (real, embedded) => {
    const kubectls: [TestServer, Kubectl][] = [real, embedded].map((server) => [server, kubectlFor(server)]);

    it('reads the same', { timeout: 240_000 }, async () => {
      const sessions = await Promise.all(
        kubectls.map(async ([server, kubectl]) => ({ namespace: await server.namespace(), kubectl })),
      );
      for (const { args, stdin } of steps) {
        const [expected, found] = await Promise.all(
          sessions.map(async ({ namespace, kubectl }) =>
            withoutChance(await kubectl(['-n', namespace, ...args], stdin), namespace),
          ),
        );
        expect.soft(found, `kubectl ${args.join(' ')}`).toEqual(expected);
      }
    });
  });
});

/** What a command printed, without what no two servers have in common: names, times, ages, versions, addresses, events. */
function withoutChance({ code, stdout, stderr }: Run, namespace: string): { code: number; lines: string[] } {
  const text = `${stdout}${stderr.replace(/^WARNING: version difference.*\n/m, '')}`
    .replaceAll(namespace, 'NAMESPACE')
    .replace(/^Events:[\s\S]*$/m, '')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z| \+0000)/g, 'TIME')
    .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]+ \+0000/g, 'TIME')
    .replace(/("?resourceVersion"?: )"\d+"/g, '$1VERSION')
    .replace(/\b10\.96\.\d+\.\d+\b/g, 'CLUSTER-IP')
    .replace(/\b3[0-2]\d{3}\b/g, 'NODE-PORT')
    .replace(/\/tmp\/(LIVE|MERGED)-\d+/g, '/tmp/$1')
    .replace(/ \d+m?\d*s\b/g, ' AGE')
    .replace(/ +/g, ' ');
  return { code, lines: text.trimEnd().split('\n') };
}
