import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createLogger, levelOf } from '../../src/observe/logger.ts';
import { RecentLines } from '../../src/observe/recent-lines.ts';
import { redactSecrets } from '../../src/observe/redact.ts';

function recorded(options: Parameters<typeof createLogger>[0] = {}) {
  const lines: string[] = [];
  const logger = createLogger({ ...options, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines };
}

const jwt = `eyJhbGciOiJSUzI1NiJ9.${'eyJpc3MiOiJrdWJlcm5ldGVzIn0'}.c2lnbmF0dXJl`;

describe('a line of log', () => {
  it('is one line of JSON: level, time, fields, message', () => {
    const { logger, lines } = recorded();
    logger.info({ service: 'shop/web', created: 2, ms: 5 }, 'service synced');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual(['level', 'time', 'service', 'created', 'ms', 'msg']);
  });

  it.each([
    [0, 'info'],
    [2, 'info'],
    [4, 'debug'],
    [5, 'debug'],
    [6, 'trace'],
    [10, 'trace'],
  ])('-v %i is the level %s', (verbosity, level) => {
    expect(levelOf(verbosity)).toBe(level);
  });
});

describe('secrets', () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

  const answer = JSON.stringify({ kind: 'TokenRequest', status: { token: 'pl"ain \\ s3cret' }, code: 201 });

  it.each<[string, Record<string, unknown>, string]>([
    ['a header', { headers: { authorization: 'Bearer s3cr3t-v4lue' } }, 's3cr3t-v4lue'],
    ['a header deep inside', { a: { b: [{ c: { Authorization: 'Basic dXNlcjpwYXNz' } }] } }, 'dXNlcjpwYXNz'],
    ['a list of headers', { rawHeaders: ['Authorization', 'Bearer s3cr3t-v4lue'] }, 's3cr3t-v4lue'],
    ['a token', { status: { token: 'pl"ain \\ text' } }, 'ain'],
    ['a password', { user: { username: 'u', password: 'hunter2' } }, 'hunter2'],
    ['the text of an error', { err: new Error(`refused: Bearer ${jwt}`) }, 'c2lnbmF0dXJl'],
    ['a web token in a text', { note: `it said ${jwt}.` }, 'c2lnbmF0dXJl'],
    ['a private key', { note: privateKey }, privateKey.split('\n')[1] ?? ''],
    ['a list of tokens', { extra: { 'refresh-token': 'r3fresh' } }, 'r3fresh'],
    ['a cookie', { headers: { 'set-cookie': 'id=hunter2' } }, 'hunter2'],
    ['an answer that an error quotes', { err: new Error(`answered ${answer}`) }, 's3cret'],
    ['an answer quoted in what another quotes', { note: JSON.stringify({ body: answer }) }, 's3cret'],
    ['an answer quoted three times', { note: JSON.stringify([JSON.stringify({ body: answer })]) }, 's3cret'],
    ['the parameter of a URL', { url: 'https://host/path?access_token=hunter2&y=1' }, 'hunter2'],
    ['a command line', { err: 'exec plugin --token=hunter2 failed' }, 'hunter2'],
    ['a kubeconfig', { note: '- user:\n    token: hunter2\n  name: u\n' }, 'hunter2'],
    ['a header in a text', { note: 'authorization: Token hunter2' }, 'hunter2'],
    ['a private key in base64', { note: `key ${Buffer.from(privateKey).toString('base64')}` }, 'LS0tLS1CRUdJTi'],
    ['credentials in a URL', { proxy: 'http://me:hunter2@proxy:3128/' }, 'hunter2'],
  ])('in %s are not written', (_, fields, secret) => {
    const { logger, lines } = recorded();
    logger.warn(fields, 'something happened');
    const [line = ''] = lines;
    expect(line).not.toContain(secret);
    expect(line).toContain('[redacted]');
    expect(JSON.parse(line)).toMatchObject({ msg: 'something happened' });
  });

  it('are not seen where there are none', () => {
    const line = JSON.stringify({
      token: 5,
      tokenFile: '/var/run/secrets/token',
      key: 'shop/web',
      msg: 'Bearer of news; a basic idea; see https://host:6443/a@b and Basic checks',
      err: 'cannot read token file /run/token: ENOENT; no token: try again; {"kind":"Status","message":"token"}',
    });
    expect(redactSecrets(line)).toBe(line);
  });
});

describe('the lines that are remembered', () => {
  it('are the last warnings and errors, without secrets', () => {
    const recent = new RecentLines(2);
    const { logger } = recorded({ onTrouble: recent.add });
    logger.warn('first');
    logger.info('nothing much');
    logger.warn({ token: 'x' }, 'second');
    logger.error({ err: 'late' }, 'third');
    expect(recent.read()).toMatchObject([
      { level: 40, token: '[redacted]', msg: 'second' },
      { level: 50, err: 'late', msg: 'third' },
    ]);
  });
});

describe('the format', () => {
  const log = (format: string) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { openLogger } from '${new URL('../../src/observe/logger.ts', import.meta.url).pathname}';
         (await openLogger({ format: ${format} })).info({ service: 'shop/web', token: 'x' }, 'service synced');`,
      ],
      { encoding: 'utf8' },
    ).stderr;

  it('is JSON when nobody is at a terminal', () => {
    expect(JSON.parse(log('undefined'))).toMatchObject({ level: 30, service: 'shop/web', msg: 'service synced' });
  });

  it('is readable text when asked for, without secrets either', () => {
    expect(log("'text'")).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: service synced \{"service":"shop\/web","token":"\[redacted\]"\}\n$/,
    );
  });
});
