import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../src/embedded/demo/until.ts';

const PODS = join(import.meta.dirname, 'pods');

describe('the programs in the Pods of the kind run', () => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  });

  /** Starts one that goes on, and resolves with the port that its first line names. */
  async function start(script: string, ...args: string[]): Promise<{ port: number; child: ChildProcess }> {
    const child = spawn(process.execPath, [join(PODS, script), ...args], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exited = once(child, 'exit');
    undo.push(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    for await (const line of createInterface({ input: child.stdout }))
      return { port: Number(/\d+$/.exec(line)), child };
    throw new Error(`${script} ended at once`);
  }

  /** Runs load.mjs to its end. */
  async function load(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [join(PODS, 'load.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      texts.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      texts.err += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out: texts.out.trim(), err: texts.err.trim() };
  }

  const check = (port: number, count: number, ...checks: string[]) =>
    load('127.0.0.1', `${port}`, `${count}`, ...checks);

  /** A server that gives these names in turn. */
  async function answering(...names: string[]): Promise<number> {
    let asked = 0;
    const server = createServer((_, response) => {
      response.end(JSON.stringify({ pod: names[asked++ % names.length], client: '::ffff:10.0.0.1' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(() => new Promise((resolve) => server.close(resolve)));
    return (server.address() as AddressInfo).port;
  }

  async function closedPort(): Promise<number> {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  it('the server names itself and whom it sees', async () => {
    const { port } = await start('server.mjs');
    const { code, out } = await check(port, 3, '--pods', hostname(), '--fair');
    expect(JSON.parse(out)).toEqual({
      asked: 3,
      shares: { [hostname()]: 3 },
      errors: {},
      clients: { '127.0.0.1': 3 },
    });
    expect(code).toBe(0);
  });

  it('the server fails its probe when it is told to, and goes on answering', async () => {
    const { port } = await start('server.mjs');
    const probe = async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status;
    expect(await probe()).toBe(200);
    await fetch(`http://127.0.0.1:${port}/ready?set=false`);
    expect(await probe()).toBe(503);
    expect((await check(port, 1)).code).toBe(0);
    await fetch(`http://127.0.0.1:${port}/ready?set=true`);
    expect(await probe()).toBe(200);
  });

  it('the server answers for a while after it has been asked to end, and then ends well', {
    timeout: 30_000,
  }, async () => {
    const { port, child } = await start('server.mjs');
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await check(port, 1)).code).toBe(0);
    expect(await exit).toEqual([0, null]);
  });

  it.each([
    ['answers of others', ['a', 'b'], ['--pods', 'a'], 'not answered by exactly a'],
    ['a Pod that never answers', ['a'], ['--pods', 'a,b'], 'not answered by exactly a,b'],
    ['a lopsided share', ['a', 'a', 'a', 'a', 'b'], ['--pods', 'a,b', '--fair'], 'the share of a is not 50 ± 20'],
    ['a Pod that sees the wrong address', ['a', 'b'], ['--masked', 'b', '10.0.0.1'], 'b saw 10.0.0.1 itself'],
    ['answers where there should be none', ['a'], ['--refused'], 'not every connection was refused'],
  ])('the load tells of %s', async (_, names, checks, complaint) => {
    const { code, err } = await check(await answering(...names), 100, ...checks);
    expect(err).toContain(complaint);
    expect(code).toBe(1);
  });

  it('the load is content with what is as it must be', async () => {
    const port = await answering('a', 'b');
    const checks = ['--pods', 'b,a', '--fair', '--masked', 'a', '10.0.0.2'];
    expect(await check(port, 100, ...checks)).toMatchObject({ code: 0, err: '' });
  });

  it('the load takes a refusal for success only when asked to, and stops at the first failure', async () => {
    const port = await closedPort();
    expect(await check(port, 5, '--refused')).toMatchObject({ code: 0, err: '' });
    const { code, out, err } = await check(port, 5);
    expect(JSON.parse(out)).toMatchObject({ asked: 1, errors: { ECONNREFUSED: 1 } });
    expect([code, err]).toEqual([1, 'request 1 failed']);
  });

  it('the load that goes on reports all requests and every failure', async () => {
    const server = await start('server.mjs');
    const { port } = await start('load.mjs', '127.0.0.1', `${server.port}`, '--forever', '0');
    const report = await until({ what: 'requests' }, async () => {
      const { code, out } = await load('--report', `${port}`);
      return code === 0 ? out : undefined;
    });
    expect(JSON.parse(report)).toEqual({ requests: expect.any(Number), failures: {} });
    server.child.kill('SIGKILL');
    await until({ what: 'failures' }, async () => {
      const { code, out } = await load('--report', `${port}`);
      return code === 1 && JSON.parse(out).failures.ECONNREFUSED > 0 ? true : undefined;
    });
  });

  it('an answer of something else counts as a failure, and does not end the load', async () => {
    const stranger = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    undo.push(() => new Promise((resolve) => stranger.close(resolve)));
    const { port } = stranger.address() as AddressInfo;
    expect(JSON.parse((await check(port, 1)).out)).toMatchObject({ errors: { NOT_OUR_SERVER: 1 } });
  });
});
