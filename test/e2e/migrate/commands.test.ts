import { execFile, execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import { KUBEADM_CONFIG, KUBEADM_KUBE_PROXY } from '../../manifests/kubeadm.ts';
import { at, hasKubectl } from '../../manifests/kustomize.ts';
import { type RealApiServer, startRealApiServer } from '../../support/real-apiserver.ts';
import { type Block, Page, ROOT } from './guide.ts';

const assets = hasKubectl ? process.env.KUBEBUILDER_ASSETS : undefined;
if (!assets) console.log('skipped: the commands of docs/migrate.md: they take KUBEBUILDER_ASSETS and kubectl');

const CLUSTER_CONFIGURATION = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n';
const SEED = [
  ...['control-1', 'worker-1', 'worker-2'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })),
  configMap('kube-proxy', { 'config.conf': KUBEADM_CONFIG }),
  configMap('kubeadm-config', { ClusterConfiguration: CLUSTER_CONFIGURATION }),
  KUBEADM_KUBE_PROXY,
  // As the leader would have made it.
  {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'slicewise-controller', namespace: 'kube-system' },
    spec: { holderIdentity: 'worker-1_1' },
  },
];

function configMap(name: string, data: Record<string, string>) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'kube-system' }, data };
}

/** What takes Pods that run, of which an API server alone has none; and kubeadm, which is only asked whether it is called. */
const kubectl = (real: string) => `#!/bin/sh
case "$*" in *'rollout status'*|*' logs '*) exit 0;; esac
exec '${real}' --cache-dir "$CLONE/cache" "$@"
`;
const KUBEADM = '#!/bin/sh\necho "$*" >> "$CLONE/kubeadm.calls"\n';

describe.runIf(assets)('the commands of docs/migrate.md at a real kube-apiserver', { timeout: 120_000 }, () => {
  const guide = new Page('docs/migrate.md');
  let clone = '';
  let server: RealApiServer;

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'slicewise-guide-'));
    await cp(join(ROOT, 'manifests'), join(clone, 'manifests'), { recursive: true });
    await mkdir(join(clone, 'bin'));
    const real = execFileSync('sh', ['-c', 'command -v kubectl'], { encoding: 'utf8' }).trim();
    for (const [name, text] of Object.entries({ kubectl: kubectl(real), kubeadm: KUBEADM })) {
      await writeFile(join(clone, 'bin', name), text);
      await chmod(join(clone, 'bin', name), 0o755);
    }
    server = await startRealApiServer(assets ?? '');
    const { url, caData, token } = server;
    await writeKubeconfig(join(clone, 'kubeconfig'), { server: url, caData, token });
    await writeFile(join(clone, 'seed.yaml'), SEED.map((object) => stringify(object)).join('---\n'));
    await sh('kubectl create -f seed.yaml');
  });
  afterAll(async () => {
    await server?.stop();
    await rm(clone, { recursive: true });
  });

  /** Runs it in the clone, as its reader would. @throws Error with what it printed when a command fails */
  async function sh(script: string): Promise<string> {
    const env = {
      ...process.env,
      PATH: `${join(clone, 'bin')}:${process.env.PATH}`,
      KUBECONFIG: join(clone, 'kubeconfig'),
      CLONE: clone,
      EDITOR: 'true',
    };
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: clone, env });
    return stdout;
  }

  async function follow({ language, text }: Block): Promise<void> {
    const [, path] = /^# (cluster\/\S+)\n/.exec(text) ?? [];
    if (language === 'yaml' && path) {
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await writeFile(join(clone, path), text);
    } else if (language === 'sh' && !/^# on (?:a node|the node|each)/.test(text)) await sh(text);
  }

  const daemonSet = async (name: string): Promise<unknown> => {
    const object: unknown = parse(await sh(`kubectl -n kube-system get daemonset ${name} -o yaml`));
    return at(object, 'spec', 'template', 'spec');
  };

  it('work in the order in which they stand, and so do the ways back, in the opposite one', async () => {
    const before = await daemonSet('kube-proxy');
    const linux = { 'kubernetes.io/os': 'linux' };
    for (const block of guide.blocks) {
      await follow(block);
      if (block.text.includes('--overwrite')) {
        expect(at(await daemonSet('slicewise-proxier'), 'nodeSelector')).toEqual({
          ...linux,
          'slicewise-proxier': 'true',
        });
        expect(await sh('kubectl get nodes -l slicewise-proxier=true -o name')).toMatch(/^(?:node\/.*\n){3}$/);
      } else if (block.text.includes('"never"')) {
        expect(at(await daemonSet('slicewise-proxier'), 'nodeSelector')).toEqual(linux);
        expect(at(await daemonSet('kube-proxy'), 'nodeSelector')).toEqual({ ...linux, 'slicewise-proxier': 'never' });
      }
    }
    expect(at(await daemonSet('slicewise-proxier'), 'nodeSelector')).toEqual({ ...linux, 'slicewise-proxier': 'true' });
    expect(await sh('kubectl -n kube-system get deployment slicewise-controller -o jsonpath={.spec.replicas}')).toBe(
      '2',
    );
    expect(await sh('cat kubeadm.yaml kubeadm.calls')).toContain(CLUSTER_CONFIGURATION);

    const back = [...guide.text.matchAll(/\*Back:\* `(kubectl [^`]+)`/g)].map(([, command = '']) => command);
    expect(back.length).toBeGreaterThanOrEqual(6);
    for (const command of back.toReversed()) await sh(`NODE=worker-1; ${command.replaceAll(/\s*\n\s*/g, ' ')}`);
    expect(await daemonSet('kube-proxy')).toEqual(before);
    const left =
      'kubectl get daemonsets,deployments,serviceaccounts,roles,poddisruptionbudgets,clusterroles,clusterrolebindings -A -o name';
    expect((await sh(left)).split('\n').filter((name) => name.includes('slicewise'))).toEqual([]);
    expect(await sh('kubectl get nodes -l slicewise-proxier -o name')).toBe('');
  });
});
