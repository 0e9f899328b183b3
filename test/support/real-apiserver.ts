import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { generateCertificate } from '../../src/embedded/apiserver/tls.ts';

export interface RealApiServer {
  url: string;
  /** PEM */
  caData: string;
  token: string;
  /**
   * Forgets every version but the present one: etcd is compacted, and kube-apiserver started anew, because its caches of recent changes
   * begin with what they find.
   */
  forgetHistory(): Promise<void>;
  stop(): Promise<void>;
}

export interface RealApiServerOptions {
  /** Further command line flags of kube-apiserver. */
  flags?: readonly string[];
}

const startTimeoutMs = 60_000;
const ATTEMPTS = 3;

/**
 * Starts etcd and kube-apiserver from `assets` (the folder that KUBEBUILDER_ASSETS names) on loopback, in a temporary folder that
 * `stop` removes. @throws Error with the end of the log when one of them does not come up.
 */
export async function startRealApiServer(assets: string, options: RealApiServerOptions = {}): Promise<RealApiServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePorts(assets, options);
    } catch (error) {
      // Somebody else took one between our look and the server's.
      if (attempt === ATTEMPTS || !/address already in use/.test(String(error))) throw error;
    }
  }
}

async function startOnFreePorts(assets: string, options: RealApiServerOptions): Promise<RealApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-apiserver-'));
  const children: { name: string; child: ChildProcess }[] = [];
  const stop = async () => {
    for (const { child } of children.toReversed()) await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const certificate = await generateCertificate();
    const token = randomBytes(16).toString('hex');
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    });
    const file = (name: string) => join(folder, name);
    const texts = {
      'server.crt': certificate.cert,
      'server.key': certificate.key,
      'sa.pub': publicKey,
      'sa.key': privateKey,
      'tokens.csv': `${token},token-admin,token-admin,"system:masters"\n`,
    };
    for (const [name, text] of Object.entries(texts)) await writeFile(file(name), text, { mode: 0o600 });
    const [client = 0, peer = 0, secure = 0] = await freePorts(3);
    const start = (name: string, args: string[]) => {
      const log = openSync(file(`${name}.log`), 'a');
      const child = spawn(join(assets, name), args, { stdio: ['ignore', log, log] });
      children.push({ name, child });
      closeSync(log);
      return child;
    };
    start('etcd', [
      '--name=t',
      `--data-dir=${file('etcd')}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=t=http://127.0.0.1:${peer}`,
    ]);
    const serverFlags = [
      `--etcd-servers=http://127.0.0.1:${client}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${secure}`,
      `--tls-cert-file=${file('server.crt')}`,
      `--tls-private-key-file=${file('server.key')}`,
      `--cert-dir=${folder}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('sa.pub')}`,
      `--service-account-signing-key-file=${file('sa.key')}`,
      '--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112',
      '--authorization-mode=RBAC',
      `--token-auth-file=${file('tokens.csv')}`,
      '--disable-admission-plugins=ServiceAccount',
      '--allow-privileged=true',
      '--endpoint-reconciler-type=none',
      ...(options.flags ?? []),
    ];
    const startServer = () => start('kube-apiserver', serverFlags);
    let server = startServer();
    const url = `https://127.0.0.1:${secure}`;
    await ready(url, certificate.ca, token, children, file);
    const forgetHistory = async () => {
      await compact(`http://127.0.0.1:${client}`);
      children.pop();
      await ended(server);
      server = startServer();
      await ready(url, certificate.ca, token, children, file);
    };
    return { url, caData: certificate.ca, token, forgetHistory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Through etcd's JSON gateway. */
async function compact(etcd: string): Promise<void> {
  const post = async (path: string, body: object) => {
    const answer = await request(`${etcd}${path}`, { method: 'POST', body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`etcd ${path}: ${answer.statusCode} ${text}`);
    return JSON.parse(text) as { header?: { revision?: string } };
  };
  const { header } = await post('/v3/kv/range', { key: btoa('x') });
  await post('/v3/kv/compaction', { revision: header?.revision, physical: true });
}

async function ready(
  url: string,
  ca: string,
  token: string,
  children: { name: string; child: ChildProcess }[],
  file: (name: string) => string,
): Promise<void> {
  const dispatcher = new Agent({ connect: { ca } });
  const deadline = Date.now() + startTimeoutMs;
  const headers = { authorization: `Bearer ${token}` };
  let last = 'no answer';
  try {
    while (Date.now() < deadline) {
      for (const { name, child } of children) {
        if (child.exitCode === null && child.signalCode === null) continue;
        const log = await readFile(file(`${name}.log`), 'utf8');
        throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}:\n${log.slice(-2000)}`);
      }
      last = await probe(() => request(`${url}/readyz`, { dispatcher, headers }));
      const namespace = await probe(() => request(`${url}/api/v1/namespaces/default`, { dispatcher, headers }));
      const service = await probe(() =>
        request(`${url}/api/v1/namespaces/default/services/kubernetes`, { dispatcher, headers }),
      );
      if (last === '200' && namespace === '200' && service === '200') return;
      await wait(100);
    }
  } finally {
    await dispatcher.close();
  }
  throw new Error(`kube-apiserver at ${url} is not ready after ${startTimeoutMs} ms: ${last}`);
}

async function probe(send: () => ReturnType<typeof request>): Promise<string> {
  try {
    const { statusCode, body } = await send();
    await body.dump();
    return String(statusCode);
  } catch (error) {
    return String(error);
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(timer);
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address !== null && typeof address === 'object') ports.push(address.port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}
