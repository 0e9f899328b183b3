import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeconfigError } from '../../src/kube/errors.ts';
import { type AccessOptions, loadClusterAccess } from '../../src/kube/kubeconfig.ts';
import { FakeClock } from '../support/fake-clock.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(dir, name), content);
  return join(dir, name);
}

interface Parts {
  cluster?: Record<string, unknown>;
  user?: Record<string, unknown>;
  context?: Record<string, unknown>;
}

/** A kubeconfig with one context `dev`; written as JSON, which is YAML. */
function config(parts: Parts = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1', ...parts.cluster } }],
    users: [{ name: 'u', user: { ...parts.user } }],
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u', ...parts.context } }],
    'current-context': 'dev',
  });
}

/** Nothing of the machine that runs the tests. */
const env = () => ({ HOME: dir });
const load = (options: AccessOptions = {}) => loadClusterAccess({ env: env(), ...options });

async function problem(options: AccessOptions): Promise<KubeconfigError> {
  const error = await load(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeconfigError)) throw new Error(`expected a KubeconfigError, got ${error}`);
  expect(error.message).not.toContain('\n');
  return error;
}

describe('where it looks', () => {
  it('takes the file it is given before all others', async () => {
    const given = await file('given', config());
    const access = await load({ kubeconfig: given, env: { ...env(), KUBECONFIG: join(dir, 'other') } });
    expect(access.source).toBe(`${given}, context "dev"`);
  });

  it('takes $KUBECONFIG next, merges its files, and passes missing ones over', async () => {
    const one = await file(
      'one',
      config().replaceAll('127.0.0.1', '127.0.0.2').replace('"current-context":"dev"', '"x":1'),
    );
    const two = await file('two', config());
    const access = await load({ env: { ...env(), KUBECONFIG: `${join(dir, 'missing')}:${one}:${two}` } });
    expect(access.server).toBe('http://127.0.0.2:1');
  });

  it('says so when no file of $KUBECONFIG exists', async () => {
    const error = await problem({ env: { ...env(), KUBECONFIG: `${dir}/a:${dir}/b` } });
    expect(error.message).toBe(`none of the files in $KUBECONFIG exists: ${dir}/a, ${dir}/b`);
  });

  it('takes the service account of a Pod next', async () => {
    const { cert } = await generate([{ name: 'commonName', value: 'ca' }]);
    await file('ca.crt', cert);
    await file('token', 'secret\n');
    const pod = { ...env(), KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const access = await load({ env: pod, serviceAccountDirectory: dir });
    expect(access.server).toBe('https://[fd00::1]');
    expect(await access.authorization()).toBe('Bearer secret');
    expect(await access.tls()).toEqual({ ca: cert });
  });

  it('names the file that a Pod lacks', async () => {
    const pod = { ...env(), KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
    const error = await problem({ env: pod, serviceAccountDirectory: dir });
    expect(error.message).toBe(`$KUBERNETES_SERVICE_HOST is set but ${dir}/token cannot be read`);
  });

  it('takes ~/.kube/config last', async () => {
    await mkdir(join(dir, '.kube'));
    await file('.kube/config', config());
    expect((await load()).source).toBe(`${dir}/.kube/config, context "dev"`);
  });

  it('says what it tried when there is nothing', async () => {
    expect((await problem({})).message).toBe(
      `no cluster to talk to: --kubeconfig is not set, $KUBECONFIG is empty, this is not a Pod, and ${dir}/.kube/config does not exist`,
    );
  });

  it('takes --master alone, and lets it override the server of a file', async () => {
    expect((await load({ master: 'http://10.1.2.3:8080/' })).server).toBe('http://10.1.2.3:8080');
    const kubeconfig = await file('k', config({ user: { token: 't' } }));
    const access = await load({ kubeconfig, master: 'http://10.1.2.3:8080' });
    expect(access.server).toBe('http://10.1.2.3:8080');
    expect(await access.authorization()).toBe('Bearer t');
  });
});

describe('what it reads', () => {
  it('is YAML with relative paths, a namespace, and impersonation', async () => {
    await file('token.txt', 'from-file');
    const kubeconfig = await file(
      'k',
      `
clusters:
- {name: c, cluster: {server: "http://localhost:8080/prefix/"}}
users:
- {name: u, user: {tokenFile: token.txt, as: jane}}
contexts:
- {name: dev, context: {cluster: c, user: u, namespace: team}}
current-context: dev
`,
    );
    const access = await load({ kubeconfig });
    expect(access.server).toBe('http://localhost:8080/prefix');
    expect(access.namespace).toBe('team');
    expect(access.headers).toEqual({ 'impersonate-user': 'jane' });
    expect(await access.authorization()).toBe('Bearer from-file');
  });

  it('is the context that was asked for', async () => {
    const text = JSON.parse(config());
    text.contexts.push({ name: 'other', context: { cluster: 'c', user: 'u', namespace: 'x' } });
    const kubeconfig = await file('k', JSON.stringify(text));
    expect((await load({ kubeconfig, context: 'other' })).namespace).toBe('x');
  });

  it('is user and password', async () => {
    const kubeconfig = await file('k', config({ user: { username: 'a', password: 'b' } }));
    expect(await (await load({ kubeconfig })).authorization()).toBe('Basic YTpi');
  });

  it('is a client certificate, embedded or in files', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'me' }]);
    await file('me.crt', cert);
    const user = { 'client-certificate': 'me.crt', 'client-key-data': Buffer.from(key).toString('base64') };
    const cluster = {
      server: 'https://127.0.0.1:1',
      'insecure-skip-tls-verify': true,
      'tls-server-name': 'kubernetes',
    };
    const access = await load({ kubeconfig: await file('k', config({ cluster, user })) });
    expect(await access.tls()).toEqual({ cert, key, rejectUnauthorized: false, servername: 'kubernetes' });
    expect(await access.authorization()).toBeUndefined();
  });
});

describe('what is wrong with it is said in one line', () => {
  const bad = async (content: string) => problem({ kubeconfig: await file('k', content) });

  it('when the file is missing', async () => {
    const error = await problem({ kubeconfig: '/no/such/file' });
    expect(error.message).toBe('cannot read kubeconfig /no/such/file: no such file');
    expect(error.file).toBe('/no/such/file');
  });

  it('when it is a directory', async () => {
    expect((await problem({ kubeconfig: dir })).message).toBe(`cannot read kubeconfig ${dir}: EISDIR`);
  });

  it.each([
    ['broken YAML', 'a: [1', /is not valid YAML: .*line 1, column/],
    ['broken JSON', '{"a": ', /is not valid YAML: /],
    ['a list', '- a', /is not a YAML mapping/],
    ['an empty file', '', /is not a YAML mapping/],
    ['another kind', 'kind: Pod', /kind is "Pod", not "Config"/],
    ['clusters that are no list', 'clusters: x', /clusters is not a list/],
    ['an entry that is no mapping', 'users: [x]', /users\[0\] is not a mapping/],
    ['a cluster without a server', 'clusters: [{name: c, cluster: {}}]', /clusters\[0\]\.cluster\.server is missing/],
    ['a context without a cluster', 'contexts: [{name: c, context: {}}]', /contexts\[0\]\.context\.cluster is missing/],
    ['no current context', 'clusters: []', /current-context is not set/],
  ])('when it is %s', async (_, content, message) => {
    const error = await bad(content);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(join(dir, 'k'));
    expect(error.file).toBe(join(dir, 'k'));
  });

  it('when a name leads nowhere', async () => {
    const kubeconfig = await file('k', config());
    expect((await problem({ kubeconfig, context: 'prod' })).message).toBe(
      `kubeconfig ${kubeconfig}: no context "prod" (known: dev)`,
    );
    expect((await bad(config({ context: { cluster: 'x' } }))).message).toContain(
      'names the cluster "x", which is not there',
    );
    expect((await bad(config({ context: { user: 'x' } }))).message).toContain('names the user "x", which is not there');
  });

  it('when the server is no URL', async () => {
    const error = await bad(config({ cluster: { server: 'localhost:6443' } }));
    expect(error.message).toContain('server "localhost:6443" is not an http or https URL');
    expect(error.field).toBe('clusters[].cluster.server');
    expect((await bad(config({ cluster: { 'proxy-url': 'ftp://x' } }))).message).toContain(
      'proxy-url "ftp://x" is not an http',
    );
  });

  it.each([
    [
      'a CA file that is missing',
      { cluster: { 'certificate-authority': '/no/ca' } },
      'cannot read certificate-authority /no/ca: ENOENT',
    ],
    [
      'CA data that is no PEM',
      { cluster: { 'certificate-authority-data': 'eHg=' } },
      'certificate-authority-data is not PEM text in base64',
    ],
    [
      'a certificate file that is missing',
      { user: { 'client-certificate': '/no/crt' } },
      'cannot read client-certificate /no/crt: ENOENT',
    ],
    ['a token file that is missing', { user: { tokenFile: '/no/token' } }, 'cannot read token file /no/token: ENOENT'],
  ])('when it names %s', async (_, parts: Parts, message) => {
    const cluster = { server: 'https://127.0.0.1:1', ...parts.cluster };
    expect((await bad(config({ ...parts, cluster }))).message).toContain(message);
  });

  it('when a certificate has no key, or one that does not fit', async () => {
    const [one, two] = await Promise.all(['a', 'b'].map((value) => generate([{ name: 'commonName', value }])));
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const cluster = { server: 'https://127.0.0.1:1' };
    const certificate = { 'client-certificate-data': base64(one?.cert ?? '') };
    expect((await bad(config({ cluster, user: certificate }))).message).toContain('client-key is missing');
    const mismatch = { ...certificate, 'client-key-data': base64(two?.private ?? '') };
    expect((await bad(config({ cluster, user: mismatch }))).message).toContain('certificates cannot be used: ');
  });
});

describe('a token file', () => {
  it('is read again after a minute, and at once after a refusal', async () => {
    const clock = new FakeClock();
    const tokenFile = await file('token', 'one');
    const access = await load({ kubeconfig: await file('k', config({ user: { tokenFile } })), clock });
    await file('token', 'two');
    await clock.advance(59_999);
    expect(await access.authorization()).toBe('Bearer one');
    await clock.advance(1);
    expect(await access.authorization()).toBe('Bearer two');
    await file('token', 'three');
    expect(access.refused()).toBe(true);
    expect(await access.authorization()).toBe('Bearer three');
  });

  it('that is gone for a moment leaves the last token in use', async () => {
    const clock = new FakeClock();
    const tokenFile = await file('token', 'one');
    const access = await load({ kubeconfig: await file('k', config({ user: { tokenFile } })), clock });
    await rm(tokenFile);
    await clock.advance(60_000);
    expect(await access.authorization()).toBe('Bearer one');
  });

  it('that is empty is an error', async () => {
    const tokenFile = await file('token', '\n');
    const error = await problem({ kubeconfig: await file('k', config({ user: { tokenFile } })) });
    expect(error.message).toBe(`token file ${tokenFile} is empty`);
  });

  it.each(['one\ntwo', 'one two', 'onë'])(
    'that no header can carry is an error, which does not tell it: %j',
    async (text) => {
      const tokenFile = await file('token', text);
      const inFile = await problem({ kubeconfig: await file('k', config({ user: { tokenFile } })) });
      const why = 'has a blank, a line break or another character that no token has';
      expect(inFile.message).toBe(`token file ${tokenFile} ${why}`);
      const given = await problem({ kubeconfig: await file('k', config({ user: { token: text } })) });
      expect(given.message).toMatch(new RegExp(`^the token of user "\\w+" ${why}$`));
    },
  );
});

describe('certificate files', () => {
  it('are read again after a minute; a pair that does not fit is passed over', async () => {
    const clock = new FakeClock();
    const [one, two] = await Promise.all(['a', 'b'].map((value) => generate([{ name: 'commonName', value }])));
    const write = (cert: string, key: string) => Promise.all([file('crt', cert), file('key', key)]);
    await write(one?.cert ?? '', one?.private ?? '');
    const user = { 'client-certificate': 'crt', 'client-key': 'key' };
    const kubeconfig = await file('k', config({ cluster: { server: 'https://127.0.0.1:1' }, user }));
    const access = await load({ kubeconfig, clock });
    const first = await access.tls();
    await clock.advance(60_000);
    expect(await access.tls()).toBe(first);
    await write(two?.cert ?? '', one?.private ?? '');
    await clock.advance(60_000);
    expect(await access.tls()).toBe(first);
    await write(two?.cert ?? '', two?.private ?? '');
    await clock.advance(60_000);
    expect(await access.tls()).toEqual({ cert: two?.cert, key: two?.private });
  });
});

describe('an exec plugin', () => {
  /** A plugin that counts its runs in its token and prints what it was told. */
  async function plugin(status: string, extra = ''): Promise<string> {
    const path = await file(
      'plugin',
      `#!/bin/sh\n${extra}\necho run >> ${dir}/runs\nN=$(wc -l < ${dir}/runs)\nprintf '%s' "${status}"\n`,
    );
    await chmod(path, 0o755);
    return path;
  }
  const withExec = async (exec: object, cluster = {}) =>
    file('k', config({ cluster, user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', ...exec } } }));
  const status = (fields: string) => `{\\"kind\\":\\"ExecCredential\\",\\"status\\":{${fields}}}`;
  const token = String.raw`\"token\":\"t$((N+0))\"`;

  it('is run once, found beside the kubeconfig, and again after a refusal', async () => {
    await plugin(status(token));
    const access = await load({ kubeconfig: await withExec({ command: './plugin' }) });
    expect(await Promise.all([access.authorization(), access.authorization()])).toEqual(['Bearer t1', 'Bearer t1']);
    expect(access.refused()).toBe(true);
    expect(await access.authorization()).toBe('Bearer t2');
  });

  it('is run again once its credential has expired', async () => {
    await plugin(status(String.raw`${token},\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"`));
    const access = await load({ kubeconfig: await withExec({ command: './plugin' }) });
    expect(await access.authorization()).toBe('Bearer t2');
  });

  it('gets arguments, environment and the cluster when it wants to know it', async () => {
    await plugin(status(token), `printf '%s|%s|%s' "$1" "$MINE" "$KUBERNETES_EXEC_INFO" > ${dir}/told`);
    const exec = {
      command: './plugin',
      args: ['arg'],
      env: [{ name: 'MINE', value: 'yes' }],
      provideClusterInfo: true,
    };
    await load({ kubeconfig: await withExec(exec) });
    const { readFile } = await import('node:fs/promises');
    const [argument, variable, info] = (await readFile(join(dir, 'told'), 'utf8')).split('|');
    expect([argument, variable]).toEqual(['arg', 'yes']);
    expect(JSON.parse(info ?? '')).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'http://127.0.0.1:1' } },
    });
  });

  it('may hand out a certificate', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'me' }]);
    await file('answer', JSON.stringify({ status: { clientCertificateData: cert, clientKeyData: key } }));
    const path = await file('plugin', `#!/bin/sh\ncat ${dir}/answer\n`);
    await chmod(path, 0o755);
    const access = await load({ kubeconfig: await withExec({ command: path }, { server: 'https://127.0.0.1:1' }) });
    expect(await access.tls()).toEqual({ cert, key });
  });

  it.each([
    ['is missing', async () => '/no/such/plugin', /user "u": exec \/no\/such\/plugin: no such command/],
    ['fails', async () => plugin('', 'echo "not logged in" >&2; exit 3'), /user "u": exec .*: not logged in/],
    ['prints nonsense', async () => plugin('hello'), /user "u": exec .*: what it printed is no ExecCredential: /],
  ])('that %s is told in one line', async (_, make, message) => {
    const error = await problem({ kubeconfig: await withExec({ command: await make() }) });
    expect(error.message).toMatch(message);
    expect(error.field).toBe('users[].user.exec');
  });
});
