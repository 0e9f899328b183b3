import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { find, hasKubectl, type Manifest, manifests, render } from '../../manifests/kustomize.ts';
import type { Audited } from './audit.ts';
import { Cluster, forgetLeader, leader, registerNode } from './cluster.ts';
import type { Component } from './component.ts';
import { eventually } from './component.ts';
import { type Grant, grantsOf, label, renamedWithout } from './grants.ts';
import {
  appears,
  CONTROLLER,
  changes,
  collides,
  failures,
  falling,
  hasAddress,
  offends,
  PROXIER,
  Refused,
  type Scene,
  type Stimulus,
  shrinks,
} from './stimuli.ts';
import { NODE, page, World } from './world.ts';

const assets = process.env.KUBEBUILDER_ASSETS;
if (!assets) console.log('skipped: rights of both components at a real kube-apiserver: KUBEBUILDER_ASSETS is not set');
const root = process.getuid?.() === 0;
if (!root) console.log('skipped: rights of both components: the proxier needs root to be fenced in');

const userOf = (account: string) => `system:serviceaccount:kube-system:${account}`;
const labels = (requests: Audited[]): string[] =>
  [...new Set(requests.filter(({ resource }) => resource !== '').map(label))].toSorted();

describe.runIf(assets !== undefined && hasKubectl && root)('with RBAC on', { timeout: 120_000 }, () => {
  let world: World;
  let roles: Record<'controller' | 'proxier', Manifest[]>;
  const running: Component[] = [];
  let serial = 0;

  beforeAll(async () => {
    roles = {
      controller: await render(join(manifests, 'controller')),
      proxier: await render(join(manifests, 'proxier')),
    };
    world = await World.start(assets ?? '', { watchList: false });
    await registerNode(world.admin, NODE);
    await world.prepareKernel();
  });
  afterAll(() => world?.stop());

  const started = <T extends Component>(component: T): T => {
    running.push(component);
    return component;
  };
  const stopAll = async () => {
    for (const component of running.splice(0).toReversed()) await component.stop();
  };

  /** An identity with the rights of the manifests, less one. Resolves once the API server knows of them. */
  async function identity(component: 'controller' | 'proxier', without?: Grant) {
    const suffix = `-${serial++}`;
    const objects = renamedWithout(roles[component], suffix, without);
    await world.grant(objects);
    const user = userOf(`slicewise-${component}${suffix}`);
    for (const { verb, group, resource } of grantsOf(objects))
      await eventually(`${user} may ${verb} ${resource}`, () => world.allowed(user, verb, group, resource));
    return { user, ...(await world.access(`slicewise-${component}${suffix}`)) };
  }

  it('both do all of their work with the rights of the manifests, and use every one', async () => {
    const controller = await identity('controller');
    const proxier = await identity('proxier');
    const cluster = await Cluster.create(world.admin, 'everything');
    const scene: Scene = { world, cluster, port: 0, token: '', synced: async () => undefined, until: eventually };
    try {
      const one = await world.controller(controller.kubeconfig);
      started(one.process);
      const node = started(world.proxier(proxier.kubeconfig));
      await one.process.says(/"controller synced"/);
      await node.says(/"proxier synced"/);

      await appears(scene);
      await hasAddress(scene, 'web', '10.244.0.5');
      await eventually('rules to the Pod', async () =>
        (await world.rules()).includes('--to-destination 10.244.0.5:80'),
      );
      await cluster.remove('services', 'web');
      await cluster.remove('pods', 'web-1');
      await changes(scene);
      await eventually(
        'no rules to the Pod',
        async () => !(await world.rules()).includes('--to-destination 10.244.0.5:80'),
      );
      await cluster.remove('services', 'web');
      await cluster.remove('pods', 'web-1');
      await shrinks(scene);
      await eventually('one slice', async () => (await cluster.slices('web')).length === 1);
      await offends(scene);
      await eventually('the event counted up', async () =>
        (await cluster.events('core', 'InvalidIPAddress')).some(({ count }) => count === 2),
      );
      await collides(scene);
      await eventually('the event counted up', async () =>
        (await failures(cluster)).some(({ series }) => series?.count === 2),
      );
      await falling(scene);
      const asked = 'get discovery.k8s.io/endpointslices';
      await eventually('a look at the API', async () =>
        labels(await world.audit.requests(controller.user)).includes(asked),
      );
      world.front.release();

      const { status } = await page(one.port, '/metrics', controller.token);
      expect(status).toBe(403);

      const two = await world.controller(controller.kubeconfig);
      started(two.process);
      await two.process.says(/waiting for the lease/);
      const before = await leader(world.admin);
      await one.process.stop();
      await eventually('another leader', async () => ![before, ''].includes(await leader(world.admin)));
      await cluster.pod('web-2', 'web', '10.244.0.8');
      await hasAddress(scene, 'web', '10.244.0.8');
      await eventually('rules to the new Pod', async () =>
        (await world.rules()).includes('--to-destination 10.244.0.8:80'),
      );
      const told = await cluster.events('core', 'LeaderElection', 'kube-system');
      expect(told.length).toBeGreaterThanOrEqual(2);
    } finally {
      world.front.release();
      await stopAll();
    }
    for (const [name, { user }] of Object.entries({ controller, proxier })) {
      expect(await world.audit.refused(user), name).toEqual([]);
      const granted = grantsOf(roles[name as 'controller' | 'proxier']).map(label);
      // Checked at the creation of a slice, and no request of its own.
      const unseen = name === 'controller' ? ['update services/finalizers'] : [];
      expect([...labels(await world.audit.requests(user)), ...unseen].toSorted(), name).toEqual(
        [...new Set(granted)].toSorted(),
      );
    }
  });

  it('both work just so where lists come as watches', async () => {
    const modern = await World.start(assets ?? '', { watchList: true });
    try {
      await registerNode(modern.admin, NODE);
      await modern.prepareKernel();
      await modern.grant([
        ...renamedWithout(roles.controller, '', undefined),
        ...renamedWithout(roles.proxier, '', undefined),
      ]);
      const cluster = await Cluster.create(modern.admin, 'modern');
      const controller = await modern.controller((await modern.access('slicewise-controller')).kubeconfig);
      started(controller.process);
      started(modern.proxier((await modern.access('slicewise-proxier')).kubeconfig));
      const synced = () => controller.process.says(/"controller synced"/);
      await changes({ world: modern, cluster, port: 0, token: '', synced, until: eventually });
      await eventually('not ready', async () =>
        (await cluster.slices('web')).some(({ endpoints }) =>
          endpoints?.some(({ conditions }) => conditions?.ready === false),
        ),
      );
      await eventually('its rules', async () => (await modern.rules()).includes('modern/web'));
      for (const name of ['slicewise-controller', 'slicewise-proxier']) {
        expect(await modern.audit.refused(userOf(name))).toEqual([]);
        const used = labels(await modern.audit.requests(userOf(name)));
        expect(used.filter((right) => right.startsWith('list'))).toEqual([]);
      }
    } finally {
      await stopAll();
      await modern.stop();
    }
  });

  it('who may read metrics is asked for the metrics', async () => {
    const { user, kubeconfig } = await identity('controller');
    await world.grant(renamedWithout(roles.proxier, '-reader', undefined));
    const reader = await world.access('slicewise-proxier-reader');
    const monitoring = await render(join(manifests, 'monitoring'));
    const role = find(monitoring, 'ClusterRole', 'slicewise-metrics-reader');
    const binding = structuredClone(find(monitoring, 'ClusterRoleBinding', 'slicewise-metrics-reader'));
    binding.subjects = [{ kind: 'ServiceAccount', name: 'slicewise-proxier-reader', namespace: 'kube-system' }];
    await forgetLeader(world.admin);
    const { process, port } = await world.controller(kubeconfig);
    try {
      started(process);
      await process.says(/"serving https"/);
      expect((await page(port, '/metrics', reader.token)).status).toBe(403);
      expect((await page(port, '/livez', 'nobody')).status).toBe(200);
      expect((await page(port, '/metrics', 'nobody')).status).toBe(401);
      await world.grant([role, binding]);
      const seen = await eventually('metrics', async () => {
        const answer = await page(port, '/metrics', reader.token);
        return answer.status === 200 && answer.body;
      });
      expect(seen).toContain('leader_election_master_status{name="slicewise-controller"}');
    } finally {
      await stopAll();
    }
    expect(await world.audit.refused(user)).toEqual([]);
  });

  /** Runs a component that lacks one right through what takes it. @returns what it was refused */
  async function refusedWithout(
    component: 'controller' | 'proxier',
    grant: Grant,
    stimulus: Stimulus,
  ): Promise<string[]> {
    const { user, kubeconfig, token } = await identity(component, grant);
    const cluster = await Cluster.create(world.admin, `without-${serial}`);
    await forgetLeader(world.admin);
    const refused = async () => {
      const found = await world.audit.refused(user);
      return found.length > 0 && found;
    };
    const until: Scene['until'] = (what, look) =>
      eventually(what, async () => {
        if (await refused()) throw new Refused(what);
        return look();
      });
    try {
      const { process, port } =
        component === 'controller'
          ? await world.controller(kubeconfig)
          : { process: world.proxier(kubeconfig), port: 0 };
      started(process);
      if (port > 0) await process.says(/"serving https"/);
      const synced = () => process.says(/"(controller|proxier) synced"/);
      await stimulus({ world, cluster, port, token, synced, until }).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
      });
      return labels(await eventually(`a refusal without ${label(grant)}`, refused));
    } finally {
      world.front.release();
      await stopAll();
    }
  }

  for (const [component, stimuli] of Object.entries({ controller: CONTROLLER, proxier: PROXIER })) {
    describe(`the ${component}`, () => {
      it.each(Object.entries(stimuli))('needs to %s', async (right, stimulus) => {
        const which = component as 'controller' | 'proxier';
        const grants = grantsOf(roles[which]).filter((grant) => label(grant) === right);
        expect(grants).toHaveLength(1);
        for (const grant of grants) {
          // Setting an owner that blocks deletion is refused as part of the creation.
          const refused = right === 'update services/finalizers' ? 'create discovery.k8s.io/endpointslices' : right;
          expect(await refusedWithout(which, grant, stimulus)).toEqual([refused]);
        }
      });

      it('has no right that is not tried here', () => {
        const all = grantsOf(roles[component as 'controller' | 'proxier']).map(label);
        expect(all.toSorted()).toEqual(Object.keys(stimuli).toSorted());
      });
    });
  }
});
