import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { ability } from '../../embedded/hosts/namespaces.ts';
import { hasKubectl } from '../../manifests/kustomize.ts';
import { Originals, originalsIn } from './stage/originals.ts';
import { Programs } from './stage/programs.ts';
import { CONTROLLER_NODES, Stage } from './stage/world.ts';

const KIND = import.meta.dirname;
const programsOfOriginals = originalsIn(process.env.KUBEBUILDER_ASSETS);
if (!programsOfOriginals)
  console.log('skipped: 50-originals.sh on a stage: KUBEBUILDER_ASSETS does not hold the originals');
const WORKERS = ['slicewise-worker', 'slicewise-worker2'];

/** A Pod as kubelet would run it; `hostNetwork`: one that is a process on its node. */
function pod(name: string, nodeName: string, labels: Record<string, string>, hostNetwork = false) {
  const namespace = hostNetwork && name.startsWith('slicewise') ? 'kube-system' : 'default';
  const spec = { nodeName, hostNetwork, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'c' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec };
}

describe.runIf(ability.able && hasKubectl)(
  'steps of the kind run on a stage of network namespaces',
  { timeout: 600_000 },
  () => {
    let stage: Stage;
    let programs: Programs;
    let server: Server;
    let folder = '';

    beforeAll(async () => {
      stage = await Stage.start();
      programs = new Programs(stage);
      folder = join(stage.hosts.runDir, 'stage');
      await mkdir(join(folder, 'bin'), { recursive: true });
      server = await programs.listen(join(folder, 'socket'));
      for (const name of ['docker', 'kubectl']) {
        const path = join(folder, 'bin', name);
        await writeFile(
          path,
          `#!/bin/sh\nexec '${process.execPath}' '${join(KIND, 'stage', 'stand-in.mjs')}' ${name} "$@"\n`,
        );
        await chmod(path, 0o755);
      }
      await deploy();
    }, 120_000);
    afterAll(async () => {
      server?.close();
      await stage?.stop();
    });

    /** Makes what 10-cluster.sh has made: pods.yaml, with the Pods of its DaemonSets, and those who ask. */
    async function deploy(): Promise<void> {
      const objects: unknown[] = parseAllDocuments(await readFile(join(KIND, 'pods.yaml'), 'utf8'))
        .map((document) => document.toJS())
        .filter(({ kind }) => kind !== 'DaemonSet');
      const nodes = ['slicewise-control-plane', ...WORKERS];
      const file = join(folder, 'pods.yaml');
      const all = [
        ...objects,
        ...WORKERS.map((node) => pod(`asking-pod-${node}`, node, { app: 'asking-pod' })),
        ...nodes.map((node) => pod(`asking-node-${node}`, node, { app: 'asking-node' }, true)),
        ...CONTROLLER_NODES.map((node) =>
          pod(`slicewise-controller-${node}`, node, { 'app.kubernetes.io/name': 'slicewise-controller' }, true),
        ),
      ];
      await writeFile(file, all.map((object) => stringify(object)).join('---\n'));
      await kubectl('apply', '-f', file);
      await kubectl('rollout', 'status', 'deployment/nginx', 'deployment/steady', '--timeout=60s');
      await kubectl('wait', '--for=condition=Ready', 'pods', '--all', '--timeout=60s');
      const { stdout } = await bash('eventually 30 "all nodes lead to steady" all_nodes_lead_to steady 3');
      expect(stdout).toContain('ok  all nodes lead to steady');
      const asks = (host: string, to: string, port: number, report: number) =>
        stage.hosts.spawn(host, [
          process.execPath,
          join(KIND, 'pods', 'load.mjs'),
          to,
          `${port}`,
          '--forever',
          `${report}`,
        ]);
      for (const node of WORKERS) await asks(`default/asking-pod-${node}`, '10.96.0.200', 3000, 18081);
      for (const node of nodes) await asks(node, '10.96.0.200', 3000, 18082);
      await asks('client', stage.addressesOf('slicewise-worker')[0] ?? '', 30303, 18083);
      await bash('eventually 30 "everybody gets answers" nobody_failed');
    }

    async function kubectl(...args: string[]): Promise<void> {
      const { code, stderr } = await programs.kubectl(args);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    }

    /** Runs a script after what run.sh and lib.sh set up. Resolves however it ends. */
    function bash(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
      const env = {
        ...process.env,
        PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
        STAGE: join(folder, 'socket'),
        IP_FAMILY: stage.hosts.ipv6 ? 'dual' : 'ipv4',
        HERE: KIND,
        PATIENCE: '5',
      };
      const set = 'set -euo pipefail; source "$HERE/lib.sh"; ';
      return new Promise((resolve) => {
        execFile('bash', ['-c', set + script], { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr });
        });
      });
    }

    it.each([
      ['20-walk.sh', 'and sees its node asking when it is dealt itself'],
      ['30-fail-over.sh', 'two controllers run again'],
      ['40-rolling-restart.sh', 'and follow'],
    ])('%s holds', async (step, last) => {
      const { code, stdout, stderr } = await bash(`source "$HERE/steps/${step}"`);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toContain(last);
      expect(stdout).toContain('ok  nobody has noticed anything');
    });

    it.runIf(programsOfOriginals)('50-originals.sh holds, with the real originals', async () => {
      if (!programsOfOriginals) throw new TypeError('no originals');
      const originals = new Originals(stage, programsOfOriginals);
      programs.extra = originals.play;
      try {
        const settings =
          'ROOT=$HERE/../../..; SUFFIX=; STATIC_POD=/etc/kubernetes/manifests/kube-controller-manager.yaml; ';
        const { code, stdout, stderr } = await bash(`${settings}source "$HERE/steps/50-originals.sh"`);
        expect(stderr).toBe('');
        expect(code).toBe(0);
        expect(stdout).toContain('ok  they are still the same slices');
        expect(stdout.match(/ok {2}nobody has noticed anything/g)).toHaveLength(3);
      } finally {
        await originals.stop();
      }
    });
  },
);
