import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { writeKubeconfig } from '../../src/embedded/apiserver/kubeconfig.ts';
import { startApiServer } from '../../src/embedded/apiserver/server.ts';
import { startRealApiServer } from '../support/real-apiserver.ts';
import { KUBEADM_CONTROLLER_MANAGER } from './kubeadm.ts';
import { at, find, hasKubectl, type Manifest, manifests, render } from './kustomize.ts';

const run = promisify(execFile);
const assets = process.env.KUBEBUILDER_ASSETS;
if (!assets) console.log('skipped: manifests at a real kube-apiserver: KUBEBUILDER_ASSETS is not set');

interface Server {
  url: string;
  caData: string | undefined;
  token: string;
  stop(): Promise<void>;
}

const kind = '../test/e2e/kind/';
const ofKind = ['own', 'own-legacy', 'kubeadm', 'kubeadm-legacy'].map((folder) => `${kind}manifests/${folder}`);
const folders = ['.', 'proxier-kubeadm', 'sidecar', 'monitoring', ...ofKind];

/** What each server has no kinds for: the embedded one lacks some, and the operator's are nobody's without the operator. */
const operator = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'];
const servers: [name: string, there: boolean, start: () => Promise<Server>, missing: string[]][] = [
  ['the embedded API server', true, startApiServer, ['DaemonSet', 'PodDisruptionBudget', ...operator]],
  ['a real kube-apiserver', assets !== undefined, () => startRealApiServer(assets ?? ''), operator],
];

for (const [name, there, start, missing] of servers) {
  describe.runIf(hasKubectl && there)(`the manifests at ${name}`, { timeout: 60_000 }, () => {
    let server: Server;
    let folder = '';
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'slicewise-apply-'));
      server = await start();
      const { url, caData, token } = server;
      await writeKubeconfig(join(folder, 'kubeconfig'), { server: url, caData, token });
    });
    afterAll(async () => {
      await server?.stop();
      await rm(folder, { recursive: true });
    });

    /** @throws Error with what kubectl or the server complains of, warnings included */
    async function dryRun(objects: Manifest[]): Promise<string[]> {
      const file = join(folder, 'objects.yaml');
      await writeFile(file, objects.map((object) => stringify(object)).join('---\n'));
      const flags = ['--kubeconfig', join(folder, 'kubeconfig'), '--cache-dir', join(folder, 'cache')];
      const args = [...flags, 'create', '--dry-run=server', '--validate=strict', '-o', 'name', '-f', file];
      const { stdout, stderr } = await run('kubectl', args);
      if (stderr !== '') throw new Error(stderr);
      return stdout.trim().split('\n');
    }

    it.each(folders)('%s is accepted, every field known', async (path) => {
      const objects = await render(join(manifests, path));
      const known = objects.filter(({ kind }) => !missing.includes(kind));
      const left = new Set(objects.filter((object) => !known.includes(object)).map(({ kind }) => kind));
      if (left.size > 0) console.log(`not tried at ${name}: ${path}: ${[...left].join(', ')}`);
      expect(await dryRun(known)).toHaveLength(known.length);
    });

    it('a field that does not exist would be noticed', async () => {
      const deployment = find(await render(join(manifests, 'controller')), 'Deployment', 'slicewise-controller');
      const wrong = { ...deployment, spec: { ...(deployment.spec as object), replicaz: 2 } };
      await expect(dryRun([wrong])).rejects.toThrow('unknown field "spec.replicaz"');
    });

    it.each([
      ['controller', 'Deployment'],
      ['proxier', 'DaemonSet'],
    ])('the Pods of the %s are accepted', async (part, kind) => {
      const owner = find(await render(join(manifests, part)), kind, `slicewise-${part}`);
      const template = at(owner, 'spec', 'template') as Manifest;
      const metadata = { ...template.metadata, name: part, namespace: 'kube-system' };
      expect(await dryRun([{ ...template, apiVersion: 'v1', kind: 'Pod', metadata }])).toEqual([`pod/${part}`]);
    });

    it('the sidecar fits into the static Pod of kubeadm', async () => {
      const file = 'kube-controller-manager.yaml';
      await writeFile(join(folder, file), stringify(KUBEADM_CONTROLLER_MANAGER));
      const patch = join(manifests, 'sidecar', 'kubeadm', 'kube-controller-manager+strategic.yaml');
      await run('cp', [patch, join(folder, 'patch.yaml')]);
      await writeFile(
        join(folder, 'kustomization.yaml'),
        stringify({ resources: [file], patches: [{ path: 'patch.yaml' }] }),
      );
      const [pod, ...more] = await render(folder);
      expect(more).toEqual([]);
      expect((at(pod, 'spec', 'containers') as { name: string }[]).map(({ name }) => name).toSorted()).toEqual([
        'kube-controller-manager',
        'slicewise-controller',
      ]);
      // The mirror of a static Pod is made by kubelet; as an ordinary Pod it may not name a priority by number.
      const { priority, ...spec } = at(pod, 'spec') as Record<string, unknown>;
      expect(priority).toBe(2_000_001_000);
      expect(await dryRun([{ ...(pod as Manifest), spec }])).toEqual(['pod/kube-controller-manager']);
    });
  });
}
