import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../src/embedded/demo/until.ts';
import { settledLeftovers, tracesOf } from '../../../src/embedded/hosts/traces.ts';
import { ability } from '../../embedded/hosts/namespaces.ts';
import { childOf } from './children.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!hasKubectl) console.log('SKIPPED, kubectl against devcluster: kubectl is not installed');

interface Ended {
  code: number | null;
  stderr: string;
}

describe('slicewise devcluster', () => {
  let directory: string;
  let child: ChildProcess | undefined;
  let ended: Promise<Ended>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'devcluster-'));
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });

  /** Starts the command and resolves with its lines up to the one with the kubeconfig. */
  async function start(args: string[]): Promise<{ lines: string[]; kubeconfig: string }> {
    const started = spawn(process.execPath, [MAIN, 'devcluster', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    let stderr = '';
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    ended = once(started, 'close').then(([code]) => ({ code, stderr }) as Ended);
    const lines: string[] = [];
    for await (const line of createInterface({ input: started.stdout })) {
      lines.push(line);
      const kubeconfig = /^export KUBECONFIG=(.*)$/.exec(line)?.[1];
      if (kubeconfig !== undefined) return { lines, kubeconfig };
    }
    throw new Error(`ended early: ${(await ended).stderr}`);
  }

  function kubectl(kubeconfig: string, ...args: string[]): string {
    const run = spawnSync('kubectl', args, {
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: kubeconfig, HOME: directory },
      timeout: 30_000,
    });
    if (run.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${run.stderr}`);
    return run.stdout;
  }

  it.skipIf(!hasKubectl)(
    'rolls out, scales, waits for and rolls back a Deployment as kubectl asks',
    { timeout: 90_000 },
    async () => {
      const { kubeconfig } = await start(['--nodes', '3']);
      const run = (...args: string[]) => kubectl(kubeconfig, ...args);
      expect(run('get', 'nodes', '-o', 'name').trim().split('\n')).toEqual([
        'node/control',
        'node/worker1',
        'node/worker2',
      ]);
      run('wait', '--for=condition=Ready', 'node/worker1', '--timeout=20s');
      run('create', 'deployment', 'web', '--image=nginx:1', '--replicas=3', '--port=80');
      expect(run('rollout', 'status', 'deployment/web', '--timeout=20s')).toContain('successfully rolled out');
      run('wait', '--for=condition=Available', 'deployment/web', '--timeout=20s');
      run('scale', 'deployment/web', '--replicas=5');
      run('rollout', 'status', 'deployment/web', '--timeout=20s');
      expect(run('get', 'deployment', 'web')).toMatch(/^web\s+5\/5\s+5\s+5\s/m);
      expect(
        run('get', 'pods', '-l', 'app=web', '--field-selector=status.phase=Running', '-o', 'name').trim().split('\n'),
      ).toHaveLength(5);
      run('set', 'image', 'deployment/web', 'nginx=nginx:2');
      run('rollout', 'status', 'deployment/web', '--timeout=30s');
      const images = () => run('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.containers[0].image}');
      await until({ what: 'old Pods gone' }, async () => (images().includes('nginx:1') ? undefined : true));
      run('rollout', 'undo', 'deployment/web');
      run('rollout', 'status', 'deployment/web', '--timeout=30s');
      await until({ what: 'new Pods gone' }, async () => (images().includes('nginx:2') ? undefined : true));
      run('delete', 'deployment', 'web', '--timeout=20s');
      run('wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=20s');
      child?.kill('SIGINT');
      expect(await ended).toEqual({ code: 0, stderr: '' });
      expect(existsSync(kubeconfig)).toBe(false);
    },
  );

  it.skipIf(!ability.able)(
    'runs Pods as network namespaces with --hosts, reachable from a node',
    { timeout: 60_000 },
    async () => {
      const { lines, kubeconfig } = await start(['--hosts', '--nodes', '2']);
      const unshare = childOf(child?.pid ?? 0, 'unshare');
      const traces = tracesOf(unshare.pid, unshare.lastArgument);
      const command = /^a command on a node: (nsenter .* -- )iptables-save$/.exec(
        lines.find((l) => l.includes('nsenter')) ?? '',
      )?.[1];
      expect(
        spawnSync('sh', ['-c', `${command} ip -4 -oneline addr show eth0`], { encoding: 'utf8' }).stdout,
      ).toContain('172.18.0.12/24');
      if (hasKubectl) {
        kubectl(kubeconfig, 'create', 'deployment', 'web', '--image=nginx', '--port=80');
        kubectl(kubeconfig, 'rollout', 'status', 'deployment/web', '--timeout=20s');
        const ip = kubectl(kubeconfig, 'get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].status.podIP}');
        const get = `require('node:http').get('http://${ip}', (r) => r.pipe(process.stdout))`;
        const { stdout } = spawnSync('sh', ['-c', `${command} ${process.execPath} -e "${get}"`], { encoding: 'utf8' });
        expect(JSON.parse(stdout)).toMatchObject({ node: 'worker1', client: '10.244.1.1', port: 80 });
      }
      child?.kill('SIGTERM');
      expect(await ended).toEqual({ code: 0, stderr: '' });
      expect(await settledLeftovers(traces)).toEqual([]);
    },
  );

  it('writes the kubeconfig where it is asked to, and takes it away again', async () => {
    const file = join(directory, 'kubeconfig');
    const { kubeconfig, lines } = await start(['--nodes', '0', '--kubeconfig-out', file]);
    expect(kubeconfig).toBe(file);
    expect(lines[0]).toMatch(/^API server at https:\/\/127\.0\.0\.1:\d+; no nodes$/);
    child?.kill('SIGINT');
    expect(await ended).toEqual({ code: 0, stderr: '' });
    expect(existsSync(file)).toBe(false);
  });

  it('refuses to replace a kubeconfig that it has not written', async () => {
    const file = join(directory, 'config');
    writeFileSync(file, 'apiVersion: v1\nkind: Config\ncurrent-context: production\n');
    await expect(start(['--kubeconfig-out', file])).rejects.toThrow(
      `slicewise: --kubeconfig-out: ${file} exists and was not written by slicewise; name another file\n`,
    );
    expect(await ended).toMatchObject({ code: 1 });
  });

  it.each([
    ['nowhere/config', 'nowhere is not a directory'],
    ['.', ' is not a file'],
  ])('refuses to write its kubeconfig to %s', async (name, message) => {
    await expect(start(['--nodes', '0', '--kubeconfig-out', join(directory, name)])).rejects.toThrow(message);
    expect(await ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^slicewise: --kubeconfig-out: .*\n$/),
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says in one line that its port is in use, and exits with 1', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const address = blocker.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await expect(start(['--port', `${port}`])).rejects.toThrow(
      `ended early: slicewise: cannot listen on 127.0.0.1:${port}: the address is already in use\n`,
    );
    expect(await ended).toMatchObject({ code: 1 });
    blocker.close();
  });

  it.each([
    [['--port', '70000'], '"70000" is not a whole number from 0 to 65535'],
    [['--nodes', 'three'], '"three" is not a whole number from 0 to 64'],
  ])('refuses %j', async (args, message) => {
    await expect(start(args)).rejects.toThrow(message);
    expect(await ended).toMatchObject({ code: 2 });
  });
});
