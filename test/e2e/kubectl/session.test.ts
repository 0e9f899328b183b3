import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasKubectl, Session, tableOf } from './kubectl.ts';

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: c, image: nginx, ports: [{ containerPort: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: nginx-svc }
spec: { selector: { app: web }, ports: [{ port: 3000, targetPort: 80 }] }
`;

const slice = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: nginx-svc-abc, labels: { kubernetes.io/service-name: nginx-svc } }
addressType: IPv4
ports: [{ name: '', port: 80, protocol: TCP }]
endpoints:
  - { addresses: [10.244.1.2], conditions: { ready: true } }
  - { addresses: [10.244.1.3], conditions: { ready: true } }
`;

describe.runIf(hasKubectl)('a session with kubectl', { timeout: 60_000 }, () => {
  let session: Session;
  let kubectl: (...args: string[]) => Promise<string>;
  let manifest = '';

  beforeAll(async () => {
    session = await Session.start();
    kubectl = (...args) => session.ok(...args);
    manifest = await session.file('web.yaml', web);
  });
  afterAll(() => session.stop());

  it('version', async () => {
    expect(await kubectl('version')).toMatch(/^Server Version: v1\.\d+\.\d+\+slicewise$/m);
  });

  it('api-resources and api-versions', async () => {
    const resources = tableOf(await kubectl('api-resources'));
    expect(resources).toContainEqual({
      NAME: 'endpointslices',
      SHORTNAMES: '',
      APIVERSION: 'discovery.k8s.io/v1',
      NAMESPACED: 'true',
      KIND: 'EndpointSlice',
    });
    expect(resources.map(({ NAME }) => NAME)).toEqual(
      expect.arrayContaining(['pods', 'services', 'deployments', 'leases', 'servicecidrs', 'events', 'nodes']),
    );
    expect((await kubectl('api-versions')).split('\n')).toEqual(expect.arrayContaining(['v1', 'apps/v1']));
  });

  it('auth can-i, auth whoami', async () => {
    expect(await kubectl('auth', 'can-i', 'create', 'pods')).toBe('yes\n');
    expect(await kubectl('auth', 'whoami')).toMatch(/Username\s+slicewise-admin/);
    expect(await kubectl('auth', 'can-i', '--list')).toContain('*.*');
  });

  it('create namespace, and work in it', async () => {
    expect(await kubectl('create', 'namespace', 'shop')).toBe('namespace/shop created\n');
    const namespaces = tableOf(await kubectl('get', 'namespaces'));
    expect(namespaces.map(({ NAME, STATUS }) => [NAME, STATUS])).toContainEqual(['shop', 'Active']);
    await kubectl('-n', 'shop', 'create', 'configmap', 'conf', '--from-literal=a=b');
    expect(await kubectl('-n', 'shop', 'get', 'cm', 'conf', '-o', 'jsonpath={.data.a}')).toBe('b');
    expect(await session.fails('create', 'namespace', 'shop')).toBe(
      'Error from server (AlreadyExists): namespaces "shop" already exists',
    );
  });

  it('apply creates, then changes nothing, then changes what the file changes', async () => {
    const created = 'deployment.apps/web created\nservice/nginx-svc created\n';
    expect(await kubectl('apply', '-f', manifest)).toBe(created);
    const unchanged = 'deployment.apps/web unchanged\nservice/nginx-svc unchanged\n';
    expect(await kubectl('apply', '-f', manifest)).toBe(unchanged);
    const changed = await session.file(
      'changed.yaml',
      web.replace('port: 3000', 'port: 3001').replace('nginx,', 'nginx:2,'),
    );
    const configured = 'deployment.apps/web configured\nservice/nginx-svc configured\n';
    expect(await kubectl('apply', '-f', changed)).toBe(configured);
    // The old port goes, because the file stated it before and does not any more.
    expect(await kubectl('get', 'svc', 'nginx-svc', '-o', 'jsonpath={.spec.ports[*].port}')).toBe('3001');
    await kubectl('apply', '-f', manifest);
  });

  it('apply refuses a field that the kind does not have', async () => {
    const typo = await session.file('typo.yaml', web.replace('replicas:', 'replcas:'));
    expect(await session.fails('apply', '-f', typo)).toContain('unknown field "spec.replcas"');
  });

  it('diff shows what would change', async () => {
    const changed = await session.file('diff.yaml', web.replace('replicas: 3', 'replicas: 8'));
    const { code, out } = await session.run('diff', '-f', changed);
    expect(code).toBe(1);
    expect(out).toMatch(/^-\s+replicas: 3$/m);
    expect(out).toMatch(/^\+\s+replicas: 8$/m);
  });

  it('get prints the usual columns', async () => {
    const [deployment] = tableOf(await kubectl('get', 'deployments'));
    expect(deployment).toMatchObject({ NAME: 'web', READY: '0/3', 'UP-TO-DATE': '0', AVAILABLE: '0' });
    const services = tableOf(await kubectl('get', 'services'));
    expect(services.map(({ NAME, TYPE, 'PORT(S)': ports }) => [NAME, TYPE, ports])).toEqual([
      ['kubernetes', 'ClusterIP', '443/TCP'],
      ['nginx-svc', 'ClusterIP', '3000/TCP'],
    ]);
    const [wide] = tableOf(await kubectl('get', 'deployments', '-o', 'wide'));
    expect(wide).toMatchObject({ CONTAINERS: 'c', IMAGES: 'nginx', SELECTOR: 'app=web' });
    await kubectl('apply', '-f', await session.file('slice.yaml', slice));
    const [endpoints] = tableOf(await kubectl('get', 'endpointslices'));
    expect(endpoints).toMatchObject({ ADDRESSTYPE: 'IPv4', PORTS: '80', ENDPOINTS: '10.244.1.2,10.244.1.3' });
    expect(await kubectl('get', 'all', '--all-namespaces')).toContain('service/kubernetes');
  });

  it('get as YAML, JSON, names and labels', async () => {
    expect(await kubectl('get', 'deploy', 'web', '-o', 'yaml')).toMatch(/^kind: Deployment$/m);
    const service = JSON.parse(await kubectl('get', 'svc', 'nginx-svc', '-o', 'json'));
    expect(service.spec.clusterIP).toMatch(/^10\.96\./);
    expect(await kubectl('get', 'svc,deploy', '-o', 'name')).toBe(
      'service/kubernetes\nservice/nginx-svc\ndeployment.apps/web\n',
    );
    const [row] = tableOf(await kubectl('get', 'deploy', '--show-labels'));
    expect(row?.LABELS).toBe('app=web');
  });

  it('get chooses by labels and fields, and says what is not there', async () => {
    expect(await kubectl('get', 'deploy', '-l', 'app in (web)', '-o', 'name')).toBe('deployment.apps/web\n');
    expect(await kubectl('get', 'svc', '--field-selector', 'metadata.name=nginx-svc', '-o', 'name')).toBe(
      'service/nginx-svc\n',
    );
    expect(await session.fails('get', 'pod', 'nobody')).toBe('Error from server (NotFound): pods "nobody" not found');
    expect(await session.fails('get', 'pods', '--field-selector', 'foo=bar')).toContain(
      'field label not supported: foo',
    );
  });

  it('get pages through long lists', async () => {
    for (let i = 0; i < 3; i++) await kubectl('create', 'configmap', `page-${i}`);
    session.server.requests.clear();
    const found = await kubectl('get', 'configmaps', '--chunk-size=1', '-o', 'name');
    expect(found).toBe('configmap/page-0\nconfigmap/page-1\nconfigmap/page-2\n');
    expect(session.server.requests.count({ verb: 'list', plural: 'configmaps' })).toBe(3);
  });

  it('describe', async () => {
    expect(await kubectl('describe', 'deployment', 'web')).toMatch(/Replicas:\s+3 desired/);
    const service = await kubectl('describe', 'service', 'nginx-svc');
    expect(service).toMatch(/Selector:\s+app=web/);
    expect(service).toMatch(/Endpoints:\s+10\.244\.1\.2:80,10\.244\.1\.3:80/);
    expect(await kubectl('describe', 'namespace', 'shop')).toMatch(/Status:\s+Active/);
  });

  it('label and annotate', async () => {
    expect(await kubectl('label', 'deploy', 'web', 'tier=front')).toBe('deployment.apps/web labeled\n');
    expect(await session.fails('label', 'deploy', 'web', 'tier=back')).toContain("'tier' already has a value (front)");
    expect(await kubectl('label', 'deploy', 'web', 'tier-')).toBe('deployment.apps/web unlabeled\n');
    expect(await kubectl('annotate', 'svc', 'nginx-svc', 'note=hello')).toBe('service/nginx-svc annotated\n');
    expect(await kubectl('get', 'svc', 'nginx-svc', '-o', 'jsonpath={.metadata.annotations.note}')).toBe('hello');
  });

  it('scale', async () => {
    expect(await kubectl('scale', 'deployment', 'web', '--replicas=5')).toBe('deployment.apps/web scaled\n');
    expect(await kubectl('get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('5');
    expect(await session.fails('scale', 'deploy', 'web', '--current-replicas=3', '--replicas=1')).toContain(
      'Expected replicas to be 3, was 5',
    );
  });

  it.each([
    ['strategic', '{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"nginx:3"}]}}}}'],
    ['merge', '{"spec":{"replicas":2}}'],
    ['json', '[{"op":"replace","path":"/spec/replicas","value":4}]'],
  ])('patch --type=%s', async (type, patch) => {
    expect(await kubectl('patch', 'deploy', 'web', '--type', type, '-p', patch)).toBe('deployment.apps/web patched\n');
    const { spec } = JSON.parse(await kubectl('get', 'deploy', 'web', '-o', 'json'));
    expect(spec.template.spec.containers).toMatchObject([
      { name: 'c', image: 'nginx:3', ports: [{ containerPort: 80 }] },
    ]);
  });

  it('patch of a subresource', async () => {
    await kubectl('patch', 'deploy', 'web', '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":1}}');
    expect(await kubectl('get', 'deploy', 'web', '-o', 'jsonpath={.status.replicas}')).toBe('1');
  });

  it('apply --server-side finds conflicts, and takes over when told to', async () => {
    const complaint = await session.fails('apply', '--server-side', '-f', manifest);
    expect(complaint).toContain('Apply failed with 2 conflicts');
    expect(complaint).toContain('conflicts with "kubectl-patch" using apps/v1');
    expect(await kubectl('apply', '--server-side', '--force-conflicts', '-f', manifest)).toBe(
      'deployment.apps/web serverside-applied\nservice/nginx-svc serverside-applied\n',
    );
    const managed = await kubectl('get', 'deploy', 'web', '-o', 'json', '--show-managed-fields');
    const managers: { manager: string; operation: string }[] = JSON.parse(managed).metadata.managedFields;
    expect(managers[0]).toMatchObject({ manager: 'kubectl', operation: 'Apply' });
  });

  it('replace and edit', async () => {
    expect(await kubectl('replace', '-f', manifest)).toContain('deployment.apps/web replaced');
    await kubectl('create', 'configmap', 'edited', '--from-literal=k=before-editing');
    expect(await kubectl('edit', 'configmap', 'edited')).toBe('configmap/edited edited\n');
    expect(await kubectl('get', 'cm', 'edited', '-o', 'jsonpath={.data.k}')).toBe('after-editing');
  });

  it('run, wait and get --watch follow a Pod', async () => {
    const watch = session.follow('get', 'pods', '--watch', '--output-watch-events');
    expect(await kubectl('run', 'p1', '--image=nginx')).toBe('pod/p1 created\n');
    expect(await watch.next()).toMatch(/^EVENT\s+NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE$/);
    expect(await watch.next()).toMatch(/^ADDED\s+p1\s+0\/1\s+Pending\s+0\s/);
    expect(await session.fails('wait', 'pod/p1', '--for=condition=Ready', '--timeout=1s')).toContain('timed out');
    const waiting = kubectl('wait', 'pod/p1', '--for=condition=Ready', '--timeout=30s');
    const status = {
      phase: 'Running',
      podIP: '10.244.1.9',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        {
          name: 'c',
          image: 'nginx',
          imageID: '',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        },
      ],
    };
    const patch = JSON.stringify({ status });
    await kubectl('patch', 'pod', 'p1', '--subresource=status', '--type=merge', '-p', patch);
    expect(await waiting).toBe('pod/p1 condition met\n');
    expect(await watch.next()).toMatch(/^MODIFIED\s+p1\s+1\/1\s+Running\s+0\s/);
    const [wide] = tableOf(await kubectl('get', 'pods', '-o', 'wide'));
    expect(wide).toMatchObject({ NAME: 'p1', IP: '10.244.1.9', NODE: '<none>' });
    await kubectl('delete', 'pod', 'p1');
    await expect.poll(() => watch.next()).toMatch(/^DELETED\s+p1/);
    await watch.end();
  });

  it('delete --grace-period, --wait and --force of a Pod on a node', async () => {
    const overrides = '{"spec":{"nodeName":"n1"}}';
    await kubectl('run', 'p2', '--image=nginx', '--overrides', overrides);
    expect(await kubectl('delete', 'pod', 'p2', '--grace-period=20', '--wait=false')).toBe('pod "p2" deleted\n');
    expect(await kubectl('get', 'pod', 'p2', '-o', 'jsonpath={.metadata.deletionGracePeriodSeconds}')).toBe('20');
    const [terminating] = tableOf(await kubectl('get', 'pods'));
    expect(terminating).toMatchObject({ NAME: 'p2', STATUS: 'Terminating' });
    const deleting = kubectl('delete', 'pod', 'p2', '--timeout=30s');
    const deletions = () => session.server.requests.count({ verb: 'delete', plural: 'pods', name: 'p2' });
    await expect.poll(deletions, { timeout: 30_000 }).toBe(2);
    expect(await kubectl('delete', 'pod', 'p2', '--grace-period=0', '--force')).toBe('pod "p2" force deleted\n');
    expect(await deleting).toBe('pod "p2" deleted\n');
    expect(await session.fails('get', 'pod', 'p2')).toContain('NotFound');
  });

  it('wait --for=delete', async () => {
    await kubectl('create', 'configmap', 'short-lived');
    const waiting = kubectl('wait', '--for=delete', 'cm/short-lived', '--timeout=30s');
    await kubectl('delete', 'cm', 'short-lived');
    await waiting;
  });

  it('delete --cascade: background, foreground and orphan', async () => {
    const child = (owner: string, uid: string) => `
apiVersion: v1
kind: ConfigMap
metadata:
  name: child-of-${owner}
  ownerReferences: [{ apiVersion: v1, kind: ConfigMap, name: ${owner}, uid: ${uid}, blockOwnerDeletion: true }]
`;
    for (const cascade of ['background', 'foreground', 'orphan']) {
      await kubectl('create', 'configmap', cascade);
      const uid = await kubectl('get', 'cm', cascade, '-o', 'jsonpath={.metadata.uid}');
      await kubectl('apply', '-f', await session.file(`${cascade}.yaml`, child(cascade, uid)));
      const deleted = `configmap "${cascade}" deleted\n`;
      expect(await kubectl('delete', 'cm', cascade, `--cascade=${cascade}`, '--timeout=30s')).toBe(deleted);
    }
    await kubectl('wait', '--for=delete', 'cm/child-of-background', '--timeout=30s');
    await kubectl('wait', '--for=delete', 'cm/child-of-foreground', '--timeout=30s');
    expect(await kubectl('get', 'cm', 'child-of-orphan', '-o', 'jsonpath={.metadata.ownerReferences}')).toBe('');
  });

  it('create of typed objects', async () => {
    expect(await kubectl('create', 'deployment', 'typed', '--image=nginx', '--replicas=2', '--port=80')).toBe(
      'deployment.apps/typed created\n',
    );
    expect(await kubectl('expose', 'deployment', 'typed', '--port=80', '--target-port=8080')).toBe(
      'service/typed exposed\n',
    );
    await kubectl('create', 'service', 'nodeport', 'np', '--tcp=80:8080', '--node-port=30123');
    expect(await kubectl('get', 'svc', 'np', '-o', 'jsonpath={.spec.ports[0].nodePort}')).toBe('30123');
    await kubectl('create', 'secret', 'generic', 'hidden', '--from-literal=k=v');
    expect(await kubectl('get', 'secret', 'hidden', '-o', 'jsonpath={.data.k}')).toBe('dg==');
    await kubectl('create', 'serviceaccount', 'robot');
    await kubectl('create', 'role', 'reader', '--verb=get', '--resource=pods');
    expect(await kubectl('get', 'sa,role', '-o', 'name')).toBe(
      'serviceaccount/robot\nrole.rbac.authorization.k8s.io/reader\n',
    );
  });

  it('set image and rollout restart change the template', async () => {
    expect(await kubectl('set', 'image', 'deployment/typed', 'nginx=nginx:9')).toBe(
      'deployment.apps/typed image updated\n',
    );
    expect(await kubectl('rollout', 'restart', 'deployment/typed')).toBe('deployment.apps/typed restarted\n');
    expect(await kubectl('get', 'deploy', 'typed', '-o', 'jsonpath={.metadata.generation}')).toBe('3');
  });

  it('nodes can be created, cordoned and tainted', async () => {
    const node = await session.file('node.yaml', 'apiVersion: v1\nkind: Node\nmetadata: { name: n1 }\n');
    await kubectl('create', '-f', node);
    expect(await kubectl('cordon', 'n1')).toBe('node/n1 cordoned\n');
    await kubectl('taint', 'node', 'n1', 'a=b:NoSchedule');
    const [row] = tableOf(await kubectl('get', 'nodes'));
    expect(row?.NAME).toBe('n1');
    expect(row?.STATUS).toContain('SchedulingDisabled');
  });

  it('explain does not crash', async () => {
    const { code, out, err } = await session.run('explain', 'pods');
    expect(code === 0 ? out : err).not.toBe('');
  });

  it('delete -f, delete --all and delete namespace leave nothing', async () => {
    expect(await kubectl('delete', '-f', manifest)).toBe(
      'deployment.apps "web" deleted\nservice "nginx-svc" deleted\n',
    );
    await kubectl('delete', 'cm,svc,deploy', '--all');
    expect(await kubectl('get', 'cm,deploy', '-o', 'name')).toBe('');
    expect(await kubectl('delete', 'namespace', 'shop', '--timeout=30s')).toBe('namespace "shop" deleted\n');
    expect(await session.fails('get', 'namespace', 'shop')).toContain('NotFound');
  });
});
