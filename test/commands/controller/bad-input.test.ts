import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { clientCertificate } from '../client-certificate.ts';
import { ControllerProcess } from './controller-process.ts';

let folder: string;
const running: ControllerProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-bad-'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((run) => run.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function outcome(args: string[], env: Record<string, string> = {}) {
  const run = new ControllerProcess(args, env);
  running.push(run);
  const code = await run.exit;
  return { code, output: run.output };
}

async function kubeconfig(user: Record<string, unknown>): Promise<string> {
  const path = join(folder, 'kubeconfig');
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  });
  await writeFile(path, text);
  return path;
}

describe('what slicewise controller cannot work with', () => {
  it.each([
    [['--leader-elekt=false'], "unknown option '--leader-elekt=false'", 2],
    [['--leader-elect-lease-duration=15'], '"15" is not a duration such as 30s or 1h15m', 2],
    [['--leader-elect-lease-duration=5s'], 'must be longer than --leader-elect-renew-deadline 10s', 1],
    [['--metrics-bind-address=0.0.0.0:1'], '0.0.0.0 is not a loopback address', 2],
  ])('%j: is one clear line', async (args, message, expected) => {
    const { code, output } = await outcome(args);
    expect(code).toBe(expected);
    expect(output).toContain(message);
    expect(output).toMatch(/^[^\n]+\n$/);
  });

  it('a token file that cannot be read is one clear line that names it', async () => {
    const tokenFile = join(folder, 'token');
    const { code, output } = await outcome(['--kubeconfig', await kubeconfig({ tokenFile })]);
    expect({ code, output }).toEqual({ code: 1, output: `slicewise: cannot read token file ${tokenFile}: ENOENT\n` });
  });

  it('a service account token that cannot be read is one clear line that names it', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1', KUBECONFIG: '' };
    const { code, output } = await outcome([], env);
    expect(code).toBe(1);
    expect(output).toMatch(
      /^slicewise: \$KUBERNETES_SERVICE_HOST is set but \/var\/run\/secrets\/\S+\/token cannot be read\n$/,
    );
  });

  it.each([
    ['2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z', 'the client certificate expired at 2021-01-01T00:00:00Z'],
    ['2090-01-01T00:00:00Z', '2091-01-01T00:00:00Z', 'the client certificate is not valid before 2090-01-01T00:00:00Z'],
  ])('a client certificate valid from %s to %s is one clear line', async (from, to, message) => {
    const path = await kubeconfig(await clientCertificate(from, to));
    const { code, output } = await outcome(['--kubeconfig', path]);
    expect({ code, output }).toEqual({ code: 1, output: `slicewise: ${path}, context "c": ${message}\n` });
  });
});
