import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { addControllerFlags } from '../../src/commands/controller/flags.ts';
import { settingsOf } from '../../src/commands/controller/settings.ts';
import { addProxyFlags, givenFlags } from '../../src/proxy/config/command-line.ts';
import { defaultProxyConfig, loadProxyConfig } from '../../src/proxy/config/load.ts';
import { runOptions } from '../../src/proxy/config/run-options.ts';
import { KUBEADM_CONFIG, KUBEADM_CONTROLLER_MANAGER } from './kubeadm.ts';
import { at, find, hasKubectl, type Manifest, manifests, render, renderTogether, strings } from './kustomize.ts';

const kustomizations = readdirSync(manifests, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('kustomization.yaml'))
  .filter((path) => parse(readFileSync(join(manifests, path), 'utf8')).kind === 'Kustomization')
  .map(dirname);

/** What the command makes of a container's arguments, with the downward API's values put in. */
function controllerSettings(container: unknown) {
  const [name, ...args] = strings(at(container, 'args')).map((arg) => arg.replace('$(HOST_IP)', '192.0.2.1'));
  expect(name).toBe('controller');
  return settingsOf(addControllerFlags(new Command().exitOverride()).parse(args, { from: 'user' }).opts());
}

function proxierFlags(container: unknown) {
  const [name, ...args] = strings(at(container, 'args')).map((arg) => arg.replace('$(NODE_NAME)', 'node-1'));
  expect(name).toBe('proxier');
  const command = addProxyFlags(new Command().exitOverride(), defaultProxyConfig());
  return givenFlags(command.parse(args, { from: 'user' }));
}

describe.runIf(hasKubectl)('the manifests', () => {
  it.each(kustomizations)('%s renders', async (folder) => {
    expect((await render(join(manifests, folder))).length).toBeGreaterThan(0);
  });

  it('are all in kube-system, or of no namespace', async () => {
    const clusterWide = ['ClusterRole', 'ClusterRoleBinding'];
    for (const folder of kustomizations.filter((path) => !path.startsWith('rbac'))) {
      for (const { kind, metadata } of await render(join(manifests, folder)))
        expect(metadata.namespace, `${folder}: ${kind} ${metadata.name}`).toBe(
          clusterWide.includes(kind) ? undefined : 'kube-system',
        );
    }
  });
});

describe.runIf(hasKubectl)('the controller as a Deployment', () => {
  let objects: Manifest[] = [];
  let pod: unknown;
  beforeAll(async () => {
    objects = await render(join(manifests, 'controller'));
    pod = at(find(objects, 'Deployment', 'slicewise-controller'), 'spec', 'template');
  });

  it('runs as nobody, with no rights on the host', () => {
    expect(at(pod, 'spec', 'securityContext')).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(at(pod, 'spec', 'containers', 0, 'securityContext')).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(() => at(pod, 'spec', 'volumes')).toThrow(RangeError);
  });

  it('is wanted twice, and ranks with what a cluster cannot do without', () => {
    expect(at(find(objects, 'Deployment', 'slicewise-controller'), 'spec', 'replicas')).toBe(2);
    expect(at(pod, 'spec', 'priorityClassName')).toBe('system-cluster-critical');
    expect(at(pod, 'spec', 'containers', 0, 'resources', 'requests')).toEqual({ cpu: '100m', memory: '320Mi' });
  });

  it('runs on nodes that wait for a network plugin, and on control plane nodes', () => {
    const tolerated = at(pod, 'spec', 'tolerations') as { key: string; operator: string }[];
    const kinds = ['not-ready', 'network-unavailable'].map((name) => `node.kubernetes.io/${name}`);
    for (const key of [...kinds, 'node-role.kubernetes.io/control-plane'])
      expect(tolerated.find((each) => each.key === key)?.operator).toBe('Exists');
  });

  it('never has two replicas on a node, nor loses two to a drain', () => {
    const labels = at(pod, 'metadata', 'labels');
    const [term] = [
      at(pod, 'spec', 'affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 0),
    ];
    expect(labels).toMatchObject(at(term, 'labelSelector', 'matchLabels') as object);
    const budget = find(objects, 'PodDisruptionBudget', 'slicewise-controller');
    expect(at(budget, 'spec', 'maxUnavailable')).toBe(1);
    expect(at(budget, 'spec', 'unhealthyPodEvictionPolicy')).toBe('AlwaysAllow');
    expect(labels).toMatchObject(at(budget, 'spec', 'selector', 'matchLabels') as object);
  });

  it('is given flags that it takes, and serves where it is asked for health', () => {
    const container = at(pod, 'spec', 'containers', 0);
    const { election, secure } = controllerSettings(container);
    expect(secure?.address).toEqual({ host: '192.0.2.1', port: at(container, 'ports', 0, 'containerPort') });
    for (const probe of ['livenessProbe', 'readinessProbe'])
      expect(at(container, probe, 'httpGet')).toMatchObject({
        scheme: 'HTTPS',
        port: at(container, 'ports', 0, 'name'),
      });
    const lease = find(objects, 'Role', 'slicewise-controller-leader-election');
    expect(lease.metadata.namespace).toBe(election?.namespace);
    expect(at(lease, 'rules', 1, 'resourceNames')).toEqual([election?.name]);
  });
});

describe.runIf(hasKubectl)('the proxier as a DaemonSet', () => {
  let pod: unknown;
  let config = '';
  beforeAll(async () => {
    const objects = await render(join(manifests, 'proxier'));
    pod = at(find(objects, 'DaemonSet', 'slicewise-proxier'), 'spec', 'template');
    const name = at(pod, 'spec', 'volumes', 0, 'configMap', 'name');
    config = String(at(find(objects, 'ConfigMap', String(name)), 'data', 'config.conf'));
  });

  it('has one right of root but the one that prepares the kernel, which has all', () => {
    expect(at(pod, 'spec', 'initContainers', 0, 'securityContext')).toMatchObject({ privileged: true });
    expect(at(pod, 'spec', 'containers', 0, 'securityContext')).toEqual({
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    });
  });

  it('gets NET_RAW from a component where iptables is legacy', async () => {
    const objects = await renderTogether({ resources: ['proxier'], components: ['proxier-legacy'] });
    const path = ['spec', 'template', 'spec', 'containers', 0, 'securityContext', 'capabilities', 'add'];
    expect(at(find(objects, 'DaemonSet', 'slicewise-proxier'), ...path)).toEqual(['NET_ADMIN', 'NET_RAW']);
  });

  it('is on every node, whatever its taints, and on the network of the node', () => {
    expect(at(pod, 'spec')).toMatchObject({
      hostNetwork: true,
      dnsPolicy: 'Default',
      tolerations: [{ operator: 'Exists' }],
    });
  });

  it("shares the host's lock of iptables, and ranks with what a node cannot do without", () => {
    const volumes = at(pod, 'spec', 'volumes') as { name: string; hostPath?: object }[];
    const mounts = at(pod, 'spec', 'containers', 0, 'volumeMounts') as { name: string; mountPath: string }[];
    const lock = { path: '/run/xtables.lock', type: 'FileOrCreate' };
    const volume = volumes.find(({ hostPath }) => hostPath !== undefined);
    expect(volume?.hostPath).toEqual(lock);
    expect(mounts.find(({ name }) => name === volume?.name)?.mountPath).toBe(lock.path);
    expect(at(pod, 'spec')).toMatchObject({
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of [at(pod, 'spec', 'initContainers', 0), at(pod, 'spec', 'containers', 0)])
      expect(at(container, 'resources', 'requests')).toEqual({ cpu: '100m', memory: '128Mi' });
  });

  it('shares the nodes with kube-proxy by a label: on each is one of the two', async () => {
    const objects = await renderTogether({ resources: ['proxier-kubeadm'], components: ['proxier-by-node'] });
    const theirs = at(find(objects, 'DaemonSet', 'slicewise-proxier'), 'spec', 'template', 'spec', 'nodeSelector');
    const label = 'slicewise-proxier';
    expect(theirs).toEqual({ 'kubernetes.io/os': 'linux', [label]: 'true' });
    const patch: unknown = parse(readFileSync(join(manifests, 'proxier-by-node', 'kube-proxy.yaml'), 'utf8'));
    const required = ['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];
    expect(at(patch, 'spec', 'template', 'spec', ...required, 'nodeSelectorTerms')).toEqual([
      { matchExpressions: [{ key: label, operator: 'DoesNotExist' }] },
    ]);
  });

  it('is given settings and flags that it takes without a warning', () => {
    const container = at(pod, 'spec', 'containers', 0);
    const flags = proxierFlags(container);
    const { config: loaded, warnings } = loadProxyConfig({ flags, readFile: () => config });
    expect(warnings).toEqual([]);
    expect(loaded).toMatchObject({ hostnameOverride: 'node-1', mode: 'iptables', oomScoreAdj: -997 });
    expect(loaded.healthzBindAddress).toBe(`0.0.0.0:${at(container, 'ports', 0, 'containerPort')}`);
    expect(loaded.metricsBindAddress).toBe(`127.0.0.1:${at(container, 'ports', 1, 'containerPort')}`);
    expect(runOptions(proxierFlags(at(pod, 'spec', 'initContainers', 0))).initOnly).toBe(true);
  });

  it('takes the settings that kubeadm has written for kube-proxy, in the place where kube-proxy finds them', async () => {
    const objects = await render(join(manifests, 'proxier-kubeadm'));
    const theirs = at(find(objects, 'DaemonSet', 'slicewise-proxier'), 'spec', 'template');
    expect(at(theirs, 'spec', 'volumes', 0, 'configMap', 'name')).toBe('kube-proxy');
    expect(objects.filter(({ kind }) => kind === 'ConfigMap')).toEqual([]);
    const flags = proxierFlags(at(theirs, 'spec', 'containers', 0));
    const { config: loaded } = loadProxyConfig({ flags, readFile: () => KUBEADM_CONFIG });
    const folder = at(theirs, 'spec', 'containers', 0, 'volumeMounts', 0, 'mountPath');
    expect(loaded.clientConnection.kubeconfig).toBe(`${folder}/kubeconfig.conf`);
    expect(loaded.clusterCIDR).toBe('10.244.0.0/16');
  });

  it('opens its metrics only with the component for that, whose settings differ in nothing else', async () => {
    const objects = await renderTogether({ resources: ['proxier'], components: ['monitoring/proxier-metrics'] });
    const [open, ...more] = objects.filter(({ kind }) => kind === 'ConfigMap');
    expect(more).toEqual([]);
    const loopback = parse(config);
    expect(parse(String(at(open, 'data', 'config.conf')))).toEqual({
      ...loopback,
      metricsBindAddress: '0.0.0.0:10249',
    });
    expect(loopback.metricsBindAddress).toBe('127.0.0.1:10249');
  });
});

describe('the controller as a sidecar', () => {
  const kubeadm = (file: string): unknown => parse(readFileSync(join(manifests, 'sidecar', 'kubeadm', file), 'utf8'));

  it('is given flags that it takes, and a kubeconfig that kube-controller-manager has', () => {
    const container = at(kubeadm('kube-controller-manager+strategic.yaml'), 'spec', 'containers', 0);
    const { election, secure } = controllerSettings(container);
    expect(election).toBeUndefined();
    expect(secure?.address).toEqual({ host: '127.0.0.1', port: at(container, 'livenessProbe', 'httpGet', 'port') });
    const volumes = at(KUBEADM_CONTROLLER_MANAGER, 'spec', 'volumes') as { name: string; hostPath: { path: string } }[];
    const mount = at(container, 'volumeMounts', 0) as { name: string; mountPath: string };
    expect(volumes.find(({ name }) => name === mount.name)?.hostPath.path).toBe(mount.mountPath);
    expect(strings(at(container, 'args'))).toContain(`--kubeconfig=${mount.mountPath}`);
  });

  it('leaves every other controller of kubeadm on', () => {
    const before = strings(at(KUBEADM_CONTROLLER_MANAGER, 'spec', 'containers', 0, 'command'));
    const flag = '--controllers=';
    const usual = before.find((word) => word.startsWith(flag))?.slice(flag.length);
    const [{ name, value }] = at(kubeadm('cluster-configuration.yaml'), 'controllerManager', 'extraArgs') as [
      { name: string; value: string },
    ];
    expect([name, value]).toEqual(['controllers', `${usual},-endpointslice-controller`]);
  });

  it('uses the image, version and port of the Deployment', async () => {
    const sidecar = at(kubeadm('kube-controller-manager+strategic.yaml'), 'spec', 'containers', 0);
    const { version } = JSON.parse(readFileSync(join(manifests, '..', 'package.json'), 'utf8'));
    expect(at(sidecar, 'image')).toBe(`slicewise-controller:${version}`);
    for (const name of ['controller', 'proxier']) {
      const { images } = parse(readFileSync(join(manifests, name, 'kustomization.yaml'), 'utf8'));
      expect(images, relative('.', name)).toEqual([{ name: `slicewise-${name}`, newTag: version }]);
    }
  });
});
