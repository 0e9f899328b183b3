import type { Cluster, SeenEvent } from './cluster.ts';
import { Component, type eventually } from './component.ts';
import { page, type World } from './world.ts';

/** What goes on around a component. */
export interface Scene {
  world: World;
  cluster: Cluster;
  /** The controller's HTTPS port; 0 for the proxier. */
  port: number;
  /** The component's own. */
  token: string;
  /** Resolves once the component's caches are filled. */
  synced: () => Promise<unknown>;
  /** Waits for what is to be seen. @throws Refused at once where the right under test is missing and was asked for meanwhile */
  until: typeof eventually;
}

/** What is waited for will not come, because a right is missing. */
export class Refused extends Error {}

/** Something happens that makes a component use a right. */
export type Stimulus = (scene: Scene) => Promise<void>;

const ready = (status: 'True' | 'False') => ({ conditions: [{ type: 'Ready', status }] });

export function hasAddress(
  { cluster, until }: Pick<Scene, 'cluster' | 'until'>,
  service: string,
  address: string,
): Promise<boolean> {
  return until(`${address} in the slices of ${service}`, async () => {
    const slices = await cluster.slices(service);
    return slices.some(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.includes(address)));
  });
}

/** A Service with an endpoint appears. */
export const appears: Stimulus = async ({ cluster }) => {
  await cluster.pod('web-1', 'web', '10.244.0.5');
  await cluster.service('web', { ipFamilyPolicy: 'PreferDualStack' });
};

/** It is seen in slices, and then its Pod stops being ready. */
export const changes: Stimulus = async (scene) => {
  await appears(scene);
  await hasAddress(scene, 'web', '10.244.0.5');
  await scene.cluster.podStatus('web-1', ready('False'));
};

/** It loses one of its two address families, and so a slice. */
export const shrinks: Stimulus = async (scene) => {
  await appears(scene);
  await scene.until('slices of both families', async () => (await scene.cluster.slices('web')).length === 2);
  await scene.cluster.patchService('web', { spec: { ipFamilyPolicy: 'SingleStack' } });
};

/** A slice is written that the watch does not show, and something else happens to its Service. */
export const falling: Stimulus = async ({ world, cluster, synced, until }) => {
  await synced();
  world.front.hold();
  await cluster.service('silent');
  await until('the slice of silent', async () => (await cluster.slices('silent')).length > 0);
  await cluster.patchService('silent', { metadata: { labels: { touched: 'yes' } } });
};

/** A Pod whose address no slice may have comes, goes, and comes again: an event, and the same event again. */
export const offends: Stimulus = async ({ cluster, until }) => {
  await cluster.service('odd');
  await cluster.pod('bad', 'odd', '169.254.1.1');
  await until('an event', async () => (await cluster.events('core', 'InvalidIPAddress')).length > 0);
  await cluster.remove('pods', 'bad');
  // The sync that brings this one in sees that the other is gone.
  await cluster.pod('good', 'odd', '10.244.0.7');
  await hasAddress({ cluster, until }, 'odd', '10.244.0.7');
  await cluster.pod('bad', 'odd', '169.254.1.1');
};

const offendsOnce: Stimulus = async ({ cluster }) => {
  await cluster.service('odd');
  await cluster.pod('bad', 'odd', '169.254.1.1');
};

const asks: Stimulus = async ({ port, token }) => {
  const { status } = await page(port, '/metrics', token);
  if (status !== 503) throw new Error(`/metrics answers ${status} although nobody could be asked`);
};

const nothing: Stimulus = async () => undefined;

export function failures(cluster: Cluster): Promise<SeenEvent[]> {
  return cluster.events('events.k8s.io', 'FailedToStartServiceHealthcheck');
}

/** Somebody else holds the health-check port of a Service that comes, goes, and comes again. */
export const collides: Stimulus = async ({ world, cluster, until }) => {
  const script = `require('node:net').createServer().listen(32100, '0.0.0.0', () => console.error('holds the port'))`;
  const holder = new Component('nsenter', [...world.inside, process.execPath, '-e', script]);
  const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 32100 };
  const name = `${cluster.namespace}/checked`;
  try {
    await holder.says(/holds the port/);
    await cluster.service('checked', spec);
    await until('an event', async () => (await failures(cluster)).length > 0);
    await until('its rules', async () => (await world.rules()).includes(name));
    await cluster.remove('services', 'checked');
    await until('no rules', async () => !(await world.rules()).includes(name));
    await cluster.service('checked', spec);
    await until('its rules again', async () => (await world.rules()).includes(name));
  } finally {
    await holder.stop();
    await cluster.remove('services', 'checked');
  }
};

/** For each right of the controller, what makes it use it. */
export const CONTROLLER: Readonly<Record<string, Stimulus>> = {
  'list services': nothing,
  'watch services': nothing,
  'list pods': nothing,
  'watch pods': nothing,
  'list nodes': nothing,
  'watch nodes': nothing,
  'update services/finalizers': appears,
  'get discovery.k8s.io/endpointslices': falling,
  'list discovery.k8s.io/endpointslices': nothing,
  'watch discovery.k8s.io/endpointslices': nothing,
  'create discovery.k8s.io/endpointslices': appears,
  'update discovery.k8s.io/endpointslices': changes,
  'delete discovery.k8s.io/endpointslices': shrinks,
  'create events': offendsOnce,
  'patch events': offends,
  'create authentication.k8s.io/tokenreviews': asks,
  'create authorization.k8s.io/subjectaccessreviews': asks,
  'create coordination.k8s.io/leases': nothing,
  'get coordination.k8s.io/leases': nothing,
  'update coordination.k8s.io/leases': nothing,
};

export const PROXIER: Readonly<Record<string, Stimulus>> = {
  'list services': nothing,
  'watch services': nothing,
  'list nodes': nothing,
  'watch nodes': nothing,
  'list discovery.k8s.io/endpointslices': nothing,
  'watch discovery.k8s.io/endpointslices': nothing,
  'create events.k8s.io/events': nothing,
  'patch events.k8s.io/events': collides,
};
