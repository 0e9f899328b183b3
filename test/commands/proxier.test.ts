import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Exec, realExec } from '../../src/proxy/exec.ts';
import { createKernelLab, type KernelLab } from '../support/kernel-lab.ts';
import { clientCertificate } from './client-certificate.ts';
import type { World } from './proxier-world.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const world = new URL('./proxier-world.ts', import.meta.url).pathname;

let lab: KernelLab | undefined;
try {
  lab = await createKernelLab();
} catch (error) {
  console.log(
    `NOT TESTED: slicewise proxier in a network namespace: ${error instanceof Error ? error.message : error}`,
  );
}
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-proxier-'));
});
afterAll(async () => {
  await lab?.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function proxier(exec: Exec, ...args: string[]): Promise<{ code: number; stderr: string }> {
  const result = await exec({ command: process.execPath, args: [main, 'proxier', ...args], timeoutMs: 60_000 });
  return { code: result.exitCode, stderr: result.stderr };
}

function kubeconfig(server: string, user: object = { token: 't' }): string {
  return `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "${server}"}}]
users: [{name: u, user: ${JSON.stringify(user)}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;
}

describe.runIf(lab !== undefined)('slicewise proxier in a namespace of its own', () => {
  const exec: Exec = (request) => (lab as KernelLab).exec(request);

  test.each(['nft', 'legacy'])(
    'brings Services to the kernel, serves its pages, leaves the rules on SIGTERM and cleans up (%s)',
    async (backend) => {
      const probe = await exec({ command: `iptables-${backend}`, args: ['-t', 'nat', '-S'], timeoutMs: 10_000 }).catch(
        () => undefined,
      );
      if (probe?.exitCode !== 0) {
        console.log(`NOT TESTED: slicewise proxier with iptables-${backend}, which does not work here`);
        return;
      }
      const args = [world, '--iptables-backend', backend];
      const run = await exec({ command: process.execPath, args, timeoutMs: 60_000 });
      expect(run.exitCode, run.stderr).toBe(0);
      const seen = JSON.parse(run.stdout) as World;
      expect(seen.saves.first).toContain(
        `-d ${seen.clusterIP}/32 -p tcp -m comment --comment "default/nginx-svc cluster IP"`,
      );
      expect(seen.saves.first).toContain(
        '-A KUBE-SVC-HL5LMXD5JFHQZ6LN -m comment --comment "default/nginx-svc -> 10.244.1.2:80" -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-SADCJIHRQW7RJ62U',
      );
      expect(seen.saves.left).toContain('--probability 0.50000000000 -j KUBE-SEP-SADCJIHRQW7RJ62U');
      expect(seen.saves.gone).not.toMatch(/KUBE-(SVC|SEP)-/);
      expect(seen.saves.stopped).toContain('-j KUBE-POSTROUTING');
      expect([seen.healthz, seen.livez, seen.proxyMode]).toEqual([200, 200, 'iptables']);
      expect(seen.metrics).toMatch(/^kubeproxy_sync_proxy_rules_iptables_total\{table="nat",ip_family="IPv4"\} \d+$/m);
      expect(seen.log).toContain('"msg":"proxier synced"');
      expect(seen.exitCode).toBe(0);
      expect(seen.endedAfterMs).toBeLessThan(10_000);
      expect(seen.cleanup.code).toBe(0);
      expect(seen.cleanup.nat).not.toContain('KUBE-');
    },
    60_000,
  );

  test('an unreachable server is one line', async () => {
    const file = join(folder, 'unreachable');
    // Listening and closed again, so that nothing answers there.
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await new Promise((resolve) => server.close(resolve));
    await writeFile(file, kubeconfig(`http://127.0.0.1:${port}`));
    const { code, stderr } = await proxier(exec, '--kubeconfig', file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^slicewise: cannot talk to the API server at http:\/\/127\.0\.0\.1:\d+ \(.*\): .*\n$/);
  });

  test('a malformed kubeconfig is one line that names the file', async () => {
    const file = join(folder, 'malformed');
    await writeFile(file, 'clusters: [');
    const { code, stderr } = await proxier(exec, '--kubeconfig', file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^slicewise: kubeconfig .*malformed is not valid YAML: .*\n$/);
  });

  test('an expired certificate is one line that names the file', async () => {
    const file = join(folder, 'expired');
    const user = await clientCertificate('2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z');
    await writeFile(file, kubeconfig('https://127.0.0.1:1', user));
    expect(await proxier(exec, '--kubeconfig', file)).toEqual({
      code: 1,
      stderr: `slicewise: ${file}, context "x": the client certificate expired at 2021-01-01T00:00:00Z\n`,
    });
  });

  test('cleanup where nothing is to be cleaned succeeds', async () => {
    expect((await proxier(exec, '--cleanup')).code).toBe(0);
  });

  test('without iptables it says in one line what to install', async () => {
    const hidden: Exec = (request) =>
      exec({
        ...request,
        command: 'unshare',
        args: [
          '-m',
          'sh',
          '-c',
          'for d in /usr/sbin /sbin /usr/local/sbin; do [ -d $d ] && mount -t tmpfs none $d; done; exec "$@"',
          'sh',
          request.command,
          ...request.args,
        ],
      });
    const { code, stderr } = await proxier(hidden, '--kubeconfig', join(folder, 'none'));
    expect(stderr).toBe(
      'slicewise: iptables is not installed, or not in PATH; on Debian and Ubuntu: apt-get install -y iptables\n',
    );
    expect(code).toBe(1);
  });

  test('without the right to change rules it says in one line what is missing', async () => {
    const powerless: Exec = (request) =>
      exec({
        ...request,
        command: 'setpriv',
        args: ['--bounding-set=-net_admin,-net_raw', request.command, ...request.args],
      });
    const { code, stderr } = await proxier(powerless, '--kubeconfig', join(folder, 'none'));
    expect(stderr).toBe(
      'slicewise: changing iptables rules needs root, or the capability NET_ADMIN (and NET_RAW for iptables-legacy)\n',
    );
    expect(code).toBe(1);
  });
});

describe('slicewise proxier', () => {
  test.each([
    [['--proxy-mode', 'ipvs'], 'slicewise: mode: "ipvs" is not supported; set it to "iptables" or leave it empty\n', 1],
    [['--iptables-backend', 'pf'], "argument 'pf' is invalid. Allowed choices are auto, nft, legacy.\n", 2],
    [['--cluster-cidr', '1.2.3'], 'Invalid value: "1.2.3": must be a valid CIDR block', 1],
  ])('%j is refused in one line', async (args, line, exitCode) => {
    const { code, stderr } = await proxier(realExec, ...args);
    expect(stderr).toContain(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(code).toBe(exitCode);
  });

  test('prints its version', async () => {
    const result = await realExec({
      command: process.execPath,
      args: [main, 'proxier', '--version'],
      timeoutMs: 60_000,
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^slicewise \d+\.\d+\.\d+\n$/) });
  });

  test('writes its configuration as a file', async () => {
    const file = join(folder, 'config.yaml');
    expect((await proxier(realExec, '--write-config-to', file, '--masquerade-all')).code).toBe(0);
    const again = await proxier(realExec, '--config', file, '--write-config-to', `${file}.2`);
    expect(again.code).toBe(0);
  });
});
