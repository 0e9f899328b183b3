import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { at, find, hasKubectl, manifests, render } from '../../manifests/kustomize.ts';

const KIND = import.meta.dirname;
const read = (path: string): string => readFileSync(join(KIND, path), 'utf8');
const cluster: unknown = parse(read('cluster.yaml'));

describe("the kind run's files", () => {
  it('turn the same controllers off as the kubeadm configuration of the manifests', () => {
    const patch: unknown = parse(String(at(cluster, 'kubeadmConfigPatches', 0)));
    const kubeadm: unknown = parse(readFileSync(join(manifests, 'sidecar/kubeadm/cluster-configuration.yaml'), 'utf8'));
    const flag = at(kubeadm, 'controllerManager', 'extraArgs', 0);
    expect(flag).toMatchObject({ name: 'controllers' });
    expect(at(patch, 'controllerManager', 'extraArgs')).toEqual({ controllers: at(flag, 'value') });
  });

  it('name the version that the images have', () => {
    const { version } = JSON.parse(readFileSync(join(manifests, '..', 'package.json'), 'utf8'));
    for (const file of ['lib.sh', 'pods.yaml', 'steps/10-cluster.sh']) {
      const tags = [...read(file).matchAll(/slicewise-(?:controller|proxier|\$part):([\w.]+)/g)];
      expect(new Set(tags.map(([, tag]) => tag)), file).toEqual(new Set([version]));
    }
  });

  it.runIf(hasKubectl)('name the control plane as kind does', async () => {
    const objects = await render(join(KIND, 'manifests', 'own'));
    const host = `${at(cluster, 'name')}-control-plane`;
    expect(at(find(objects, 'ConfigMap', 'slicewise-api-server'), 'data')).toEqual({ host, port: '6443' });
    expect(read('lib.sh')).toContain(`readonly CLUSTER=${at(cluster, 'name')}\n`);
  });
});
