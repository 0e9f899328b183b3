import { afterEach, describe, expect, it } from 'vitest';
import { isRecord, type JsonRecord } from '../../../src/kube/values.ts';
import { eventually } from '../../endpointslice/support/cluster.ts';
import { controllerManagerBinary, startRealControllerManager } from '../../support/real-controller-manager.ts';
import type { RunningController } from '../../support/running-controller.ts';
import { startSlicewiseController } from '../../support/slicewise-controller.ts';
import { MigrationWorld, metric, nameOf } from './world.ts';

const assets = process.env.KUBEBUILDER_ASSETS ?? '';
const binary = controllerManagerBinary(process.env.KUBEBUILDER_ASSETS);
if (!binary) console.log('skipped: from kube-controller-manager and back: KUBEBUILDER_ASSETS does not hold it');

const http = { ports: [{ name: 'http', port: 80, targetPort: 'http' }] };
const SERVICES: Record<string, JsonRecord> = {
  plain: { selector: { app: 'web' }, ...http },
  dual: { selector: { app: 'web' }, ipFamilyPolicy: 'RequireDualStack', ...http },
  headless: { selector: { app: 'web' }, clusterIP: 'None', ...http },
  unready: { selector: { app: 'web' }, publishNotReadyAddresses: true, ...http },
  close: { selector: { app: 'web' }, trafficDistribution: 'PreferClose', ...http },
  node: { selector: { app: 'web' }, trafficDistribution: 'PreferSameNode', ...http },
  empty: { selector: { app: 'nobody' }, ...http },
};

describe.runIf(binary)('the controller on a real API server', { timeout: 180_000 }, () => {
  const running: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const part of running.splice(0).toReversed()) await part.stop();
  });

  async function world(...flags: string[]): Promise<MigrationWorld> {
    const started = await MigrationWorld.start(assets, flags);
    running.push(started);
    await started.node('a', 'zone-a');
    await started.node('b', 'zone-b');
    await started.pod('web', 'web-a', { ip: '10.244.1.2', node: 'a' });
    await started.pod('web', 'web-b', { ip: '10.244.2.2', node: 'b' });
    await started.pod('web', 'web-c', { ip: '10.244.2.3', node: 'b', ready: false });
    return started;
  }

  /** Stopped at the end of the test at the latest. */
  async function start(controller: Promise<RunningController>): Promise<RunningController> {
    const { metrics, stop } = await controller;
    let stopped: Promise<void> | undefined;
    const once = {
      metrics,
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
    running.push(once);
    return once;
  }

  it('takes over the slices of kube-controller-manager, and hands them back, without a write', async () => {
    const at = await world();
    for (const [name, spec] of Object.entries(SERVICES)) await at.service(name, spec);
    const theirs = () => startRealControllerManager(binary ?? '', { kubeconfig: at.kubeconfig, token: at.api.token });
    const ours = () => startSlicewiseController({ kubeconfig: at.kubeconfig });
    const syncs = 'endpoint_slice_controller_syncs{result="success"}';
    const writes = (page: string) =>
      ['create', 'update', 'delete'].map((operation) =>
        metric(page, `endpoint_slice_controller_changes{operation="${operation}"}`),
      );
    const allSynced = (controller: RunningController) =>
      eventually(async () => {
        const page = await controller.metrics();
        expect(metric(page, syncs)).toBeGreaterThanOrEqual(Object.keys(SERVICES).length);
      }, 60_000);

    const first = await start(theirs());
    // Each Service has a slice, and the dual-stack one has two.
    await eventually(async () => expect(await at.slices()).toHaveLength(Object.keys(SERVICES).length + 1), 60_000);
    await first.stop();
    const before = await at.slices();

    const second = await start(ours());
    await allSynced(second);
    expect(writes(await second.metrics())).toEqual([0, 0, 0]);
    expect(await at.slices()).toEqual(before);
    await at.pod('web', 'web-d', { ip: '10.244.1.3', node: 'a' });
    const showD = (slices: JsonRecord[]) => slices.filter((slice) => JSON.stringify(slice).includes('10.244.1.3'));
    await eventually(async () => expect(showD(await at.slices())).toHaveLength(6), 60_000);
    await second.stop();
    const changed = await at.slices();
    expect(changed.map(nameOf)).toEqual(before.map(nameOf));

    const third = await start(theirs());
    await allSynced(third);
    expect(writes(await third.metrics())).toEqual([0, 0, 0]);
    expect(await at.slices()).toEqual(changed);
  });

  it.each(['1.33', '1.34', '1.35'])('writes the slices that the API of %s knows', async (version) => {
    const at = await world(`--emulated-version=${version}`);
    // Values that came with 1.34 are refused before, so that no controller ever meets them.
    const { node: sameNode = {}, ...others } = SERVICES;
    if (version === '1.33') {
      await expect(at.service('node', sameNode)).rejects.toThrow('trafficDistribution');
      for (const [name, spec] of Object.entries(others)) await at.service(name, spec);
    } else for (const [name, spec] of Object.entries(SERVICES)) await at.service(name, spec);

    const ours = await start(startSlicewiseController({ kubeconfig: at.kubeconfig }));
    const hints = async (service: string) => {
      const slices = (await at.slices()).filter((slice) => nameOf(slice).startsWith(`${service}-`));
      const endpoints = slices.flatMap((slice) =>
        Array.isArray(slice.endpoints) ? slice.endpoints.filter(isRecord) : [],
      );
      return endpoints.map((endpoint) => endpoint.hints).filter((hint) => hint !== undefined);
    };
    await eventually(
      async () =>
        expect(await hints('close')).toEqual(
          expect.arrayContaining([{ forZones: [{ name: 'zone-a' }] }, { forZones: [{ name: 'zone-b' }] }]),
        ),
      60_000,
    );
    if (version !== '1.33')
      await eventually(
        async () =>
          expect(await hints('node')).toContainEqual({ forZones: [{ name: 'zone-a' }], forNodes: [{ name: 'a' }] }),
        60_000,
      );
    expect(metric(await ours.metrics(), 'endpoint_slice_controller_syncs{result="error"}')).toBe(0);
  });
});
