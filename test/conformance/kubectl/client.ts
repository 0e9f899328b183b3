import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { writeKubeconfig } from '../../../src/embedded/apiserver/kubeconfig.ts';
import type { TestServer } from '../api/harness.ts';

export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!hasKubectl) console.log('SKIPPED, kubectl against the API servers: kubectl is not installed');

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** `stdin`: text, or an object to be sent as JSON. */
export type Kubectl = (args: readonly string[], stdin?: unknown) => Promise<Run>;

/** kubectl with a home and a kubeconfig of its own, talking to a server of the harness. To be called where hooks may be. */
export function kubectlFor(server: TestServer): Kubectl {
  let home = '';
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'kubectl-'));
    const { url, caData, token } = server;
    await writeKubeconfig(join(home, 'config'), { server: url, caData, token });
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  return (args, stdin) =>
    new Promise((resolve) => {
      const env = { ...process.env, HOME: home, KUBECONFIG: join(home, 'config') };
      const child = execFile('kubectl', args, { env, timeout: 30_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
      child.stdin?.end(stdin === undefined ? '' : typeof stdin === 'string' ? stdin : JSON.stringify(stdin));
    });
}
