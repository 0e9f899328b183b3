import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import { until } from '../../../src/embedded/demo/until.ts';
import { KUBEADM_KUBE_PROXY } from '../../manifests/kubeadm.ts';
import { at, hasKubectl } from '../../manifests/kustomize.ts';
import { type RealApiServer, startRealApiServer } from '../../support/real-apiserver.ts';

const assets = hasKubectl ? process.env.KUBEBUILDER_ASSETS : undefined;
if (!assets) console.log('skipped: the kind run at a real kube-apiserver: it takes KUBEBUILDER_ASSETS and kubectl');

const RUN = join(import.meta.dirname, 'run.sh');
const PROGRAMS = join(import.meta.dirname, 'rehearsal', 'programs.mjs');
const STATIC_POD = '    - --controllers=*,bootstrapsigner,tokencleaner,-endpointslice-controller\n';

/** Calls that begin with $HANG wait for a second, and those with $FAIL fail. */
const PROGRAM = `#!/usr/bin/env bash
name=$(basename "$0")
call="$name $*"
if [[ -n "\${HANG:-}" && $call == $HANG* ]]; then
  echo "$call" >> "$REHEARSAL/hanging"
  sleep 1
fi
if [[ -n "\${FAIL:-}" && $call == *$FAIL* ]]; then echo 'it will not' >&2; exit 1; fi
exec "${process.execPath}" "${PROGRAMS}" "$name" "$@"
`;

interface Ended {
  code: number | null;
  out: string;
}

describe('the kind run, with stand-ins for docker, kind and kubectl', { timeout: 240_000 }, () => {
  let folder = '';
  let child: ChildProcess | undefined;
  let ended: Promise<Ended> | undefined;
  let server: RealApiServer | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-rehearsal-'));
    await mkdir(join(folder, 'bin'));
    await mkdir(join(folder, 'tmp'));
    for (const name of ['docker', 'kind', 'kubectl']) {
      await writeFile(join(folder, 'bin', name), PROGRAM);
      await chmod(join(folder, 'bin', name), 0o755);
    }
    await writeFile(join(folder, 'kube-controller-manager.yaml'), STATIC_POD);
  });
  afterEach(async () => {
    if (child?.pid && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  function start(env: Record<string, string> = {}): Promise<Ended> {
    const started = spawn('bash', [RUN], {
      // A process group of its own, as at a terminal: a Ctrl-C reaches all that run in it.
      detached: true,
      env: {
        ...process.env,
        PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
        TMPDIR: join(folder, 'tmp'),
        LOGS: join(folder, 'logs'),
        REHEARSAL: folder,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    let out = '';
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
    ended = once(started, 'close').then(([code]) => ({ code: code as number | null, out }));
    return ended;
  }

  /** Starts one with the nodes of the cluster; kubectl goes there for whatever concerns the API alone. */
  async function realApiServer(from: string): Promise<Record<string, string>> {
    server = await startRealApiServer(from);
    const { url, caData, token } = server;
    await writeKubeconfig(join(folder, 'real.kubeconfig'), { server: url, caData, token, name: 'kind-slicewise' });
    const nodes = ['control-plane', 'worker', 'worker2'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `slicewise-${name}` },
    }));
    await writeFile(join(folder, 'nodes.yaml'), nodes.map((node) => stringify(node)).join('---\n'));
    await writeFile(join(folder, 'kube-proxy.yaml'), stringify(KUBEADM_KUBE_PROXY));
    await kubectl('apply', '-f', join(folder, 'nodes.yaml'));
    const { stdout } = await promisify(execFile)('sh', ['-c', 'command -v kubectl']);
    return { REAL_KUBECTL: stdout.trim() };
  }

  /** The real one, at the real API server. @throws Error with what it complains of */
  async function kubectl(...args: string[]): Promise<string> {
    const flags = ['--kubeconfig', join(folder, 'real.kubeconfig'), '--cache-dir', join(folder, 'cache')];
    return (await promisify(execFile)('kubectl', [...flags, ...args])).stdout;
  }

  async function calls(): Promise<string[]> {
    const text = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as string[]).join(' ')]));
  }

  const removal = ['docker rm --force slicewise-outside', 'kind delete cluster --name slicewise'];

  it(`passes every station at ${assets ? 'a real kube-apiserver' : 'an API server that is a stand-in, too'}`, async () => {
    const { code, out } = await start(assets ? await realApiServer(assets) : {});
    expect(out).not.toContain('NOT');
    expect(code).toBe(0);
    expect([...out.matchAll(/^== (.*)$/gm)].map(([, title]) => title)).toEqual([
      'Images',
      'A cluster without kube-proxy and without an EndpointSlice controller',
      'Slicewise',
      'A Deployment and a Service appear',
      'Who answers?',
      'Pods come and go',
      'From outside, and from a Pod to itself',
      'The leading controller dies',
      'The leading controller is asked to leave',
      'Every proxier is replaced',
      'To the built-in controller',
      'To kube-proxy',
      'Back to our proxier, node by node, with the settings of kube-proxy',
      'Back to our controller',
      expect.stringMatching(/^all is well/),
    ]);
    const all = await calls();
    expect(all.slice(-2)).toEqual(removal);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
    expectOneWriterAtATime(all);
    // The scripts for the node have really run, on copies of its files.
    expect(await readFile(join(folder, 'kube-controller-manager.yaml'), 'utf8')).toBe(STATIC_POD);
    const config = await readFile(join(folder, 'kube-proxy.conf'), 'utf8');
    expect(config).toMatch(/^kind: InitConfiguration\nskipPhases:\n- preflight\n---\n/);
    expect(config).toContain('kind: KubeProxyConfiguration');
    if (assets) {
      // Our proxier has taken over the place of kube-proxy's settings, on the nodes that carry the label.
      const text = await kubectl('-n', 'kube-system', 'get', 'daemonset', 'slicewise-proxier', '-o', 'json');
      const pod = at(JSON.parse(text), 'spec', 'template', 'spec');
      expect(at(pod, 'nodeSelector')).toEqual({ 'kubernetes.io/os': 'linux', 'slicewise-proxier': 'true' });
      expect(at(pod, 'volumes', 0, 'configMap', 'name')).toBe('kube-proxy');
      expect(at(pod, 'containers', 0, 'env')).toMatchObject([{ name: 'NODE_NAME' }]);
      expect(await kubectl('get', 'nodes', '-l', 'slicewise-proxier=true', '-o', 'name')).toMatch(/^(node\/.*\n){3}$/);
    }
  });

  /** That no two controllers write at once, and that nobody ever takes rules from a node. */
  function expectOneWriterAtATime(all: string[]): void {
    const position = (part: string, from = 0) => {
      const at = all.findIndex((call, i) => i >= from && call.includes(part));
      expect(at, part).toBeGreaterThanOrEqual(0);
      return at;
    };
    const slicewiseLeaves = position('scale deployment slicewise-controller --replicas=0');
    const itsPodsAreGone = position('get pods -l app.kubernetes.io/name=slicewise-controller -o name', slicewiseLeaves);
    const builtInComes = position('s/,-endpointslice-controller//', itsPodsAreGone);
    const builtInLeaves = position('\\1,-endpointslice-controller', builtInComes);
    const itIsGone = position('get pod kube-controller-manager-slicewise-control-plane', builtInLeaves);
    position('scale deployment slicewise-controller --replicas=2', itIsGone);
    expect(all.filter((call) => call.includes('--cleanup'))).toEqual([]);
  }

  it('asks for one family only where there is one', async () => {
    const { code } = await start({ IP_FAMILY: 'ipv4', SKIP_BUILD: '1', FAIL: 'exec visitor' });
    expect(code).toBe(1);
    const all = await calls();
    expect(all.filter((call) => call.includes('ip6tables-save') || call.startsWith('docker build'))).toEqual([]);
    expect(all.filter((call) => call.includes('iptables-save')).length).toBeGreaterThan(0);
  });

  it('says which station failed and why, keeps the logs, and removes the cluster', async () => {
    const { code, out } = await start({ FAIL: 'rollout status deployment/coredns' });
    expect(code).toBe(1);
    expect(out).toContain('it will not\n  NOT DNS works\n');
    const logs = join(folder, 'logs');
    expect(out).toContain(`logs of all nodes and Pods are in ${logs}`);
    expect((await calls()).slice(-3)).toEqual([`kind export logs ${logs} --name slicewise`, ...removal]);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });

  it('leaves the cluster in place when asked to, and says how to use and remove it', async () => {
    const { out } = await start({ KEEP: '1', FAIL: 'rollout status deployment/coredns' });
    const [, kubeconfig = ''] = /export KUBECONFIG=(\S+)/.exec(out) ?? [];
    expect(kubeconfig).toMatch(new RegExp(`^${join(folder, 'tmp')}/`));
    expect((await calls()).filter((call) => removal.includes(call))).toEqual([]);
  });

  it('touches no cluster of its name that was there before', async () => {
    const { code, out } = await start({ CLUSTERS: 'other\nslicewise\n' });
    expect(code).toBe(1);
    expect(out).toContain('NOT there is no cluster slicewise yet');
    expect(await calls()).toEqual(['docker info', 'kind get clusters']);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('removes everything on %s, even if asked again meanwhile', async (signal) => {
    const end = start({ HANG: 'k' });
    const group = -(child?.pid ?? 0);
    // First while the cluster is being made, then while it is being removed.
    const hangs = (call: string) =>
      until({ what: call }, async () => {
        const hanging = await readFile(join(folder, 'hanging'), 'utf8').catch(() => '');
        return hanging.includes(call) ? true : undefined;
      });
    await hangs('kind create cluster');
    process.kill(group, signal);
    await hangs('kind delete cluster');
    process.kill(group, signal);
    const { code } = await end;
    expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
    expect((await calls()).slice(-2)).toEqual(removal);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });
});
