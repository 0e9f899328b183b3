import { request as httpsRequest } from 'node:https';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../src/clock.ts';
import type { Checked } from '../../../src/commands/controller/checks.ts';
import { type PagesParts, servePages } from '../../../src/commands/controller/pages.ts';
import type { KubeClient, RequestOptions } from '../../../src/kube/client.ts';
import type { ReflectorStatus } from '../../../src/kube/reflector.ts';
import { createLogger } from '../../../src/observe/logger.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const pages of open.splice(0)) await pages.close();
});

const filled: ReflectorStatus = {
  phase: 'watching',
  synced: true,
  objects: 1,
  resourceVersion: '1',
  failures: 0,
  lastEventAgeMs: 1,
  lastError: undefined,
};

/** The port of each server that says where it listens. */
async function serve(parts: Partial<PagesParts>, checked: Partial<Checked> = {}): Promise<number> {
  const lines: string[] = [];
  const pages = await servePages({
    settings: { plain: { host: '127.0.0.1', port: 0 }, secure: undefined },
    alwaysAllow: ['/healthz', '/readyz', '/livez'],
    registry: new Registry(),
    checked: { candidacy: undefined, caches: { pods: { status: () => filled } }, stopping: () => false, ...checked },
    state: () => ({ queue: { ready: 3 } }),
    reviewer: () => {
      throw new Error('nobody is to be asked');
    },
    clock: realClock,
    logger: createLogger({ destination: { write: (line) => void lines.push(line) } }),
    ...parts,
  });
  open.push(pages);
  return Number(/"port":(\d+)/.exec(lines.join(''))?.[1]);
}

async function get(port: number, path: string) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, body: await answer.text() };
}

function getSecurely(port: number, path: string, token?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { host: '127.0.0.1', port, path, headers, rejectUnauthorized: false, agent: false };
    const sent = httpsRequest(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.once('error', reject).end();
  });
}

describe('the plain pages of slicewise controller', () => {
  it('are metrics, health and state', async () => {
    const port = await serve({});
    expect(await get(port, '/livez')).toEqual({ status: 200, body: 'ok' });
    expect(await get(port, '/healthz')).toEqual({ status: 200, body: 'ok' });
    expect(await get(port, '/readyz?verbose')).toEqual({
      status: 200,
      body: '[+]ping ok\n[+]leaderElection ok\n[+]cache-pods ok\n[+]shutdown ok\nreadyz check passed\n',
    });
    expect((await get(port, '/metrics')).status).toBe(200);
    expect(await get(port, '/debug/state')).toEqual({ status: 200, body: '{"queue":{"ready":3}}' });
  });

  it.each<[string, Partial<Checked>, string, boolean]>([
    [
      'a cache is not filled',
      {
        caches: { pods: { status: () => ({ ...filled, synced: false, failures: 2, lastError: 'pods is forbidden' }) } },
      },
      '[-]cache-pods failed: not filled yet: pods is forbidden',
      true,
    ],
    [
      'a cache is not followed any more',
      { caches: { pods: { status: () => ({ ...filled, failures: 4, lastError: 'connection refused' }) } } },
      '[-]cache-pods failed: not followed any more: connection refused',
      true,
    ],
    ['the process is about to end', { stopping: () => true }, '[-]shutdown failed: the process is shutting down', true],
    [
      'the lease was not renewed',
      { candidacy: { problem: () => 'too late' } },
      '[-]leaderElection failed: too late',
      false,
    ],
  ])('say that it is not ready while %s', async (_, checked, line, lives) => {
    const port = await serve({}, checked);
    const { status, body } = await get(port, '/readyz');
    expect({ status, lines: body.split('\n') }).toMatchObject({ status: 500, lines: expect.arrayContaining([line]) });
    expect((await get(port, '/livez')).status).toBe(lives ? 200 : 500);
  });
});

describe('the secure pages of slicewise controller', () => {
  const asked: RequestOptions[] = [];
  const reviewer = (): KubeClient => ({
    async request(options) {
      asked.push(options);
      const { spec } = options.body as { spec: { token?: string; user?: string } };
      const user = { username: 'prometheus', groups: ['g'], uid: 'u', extra: { k: ['v'] } };
      if (spec.token !== undefined) return { status: spec.token === 'good' ? { authenticated: true, user } : {} };
      return { status: { allowed: spec.user === 'prometheus' } };
    },
    stream: () => Promise.reject(new Error('not used')),
    close: async () => undefined,
  });
  const settings = { plain: undefined, secure: { address: { host: '127.0.0.1', port: 0 }, files: undefined } };

  it('are for those whom the API server knows and allows, except for health', async () => {
    asked.length = 0;
    const port = await serve({ settings, reviewer });
    expect(await getSecurely(port, '/livez')).toEqual({ status: 200, body: 'ok' });
    expect((await getSecurely(port, '/metrics')).status).toBe(403);
    expect((await getSecurely(port, '/metrics', 'bad')).status).toBe(401);
    expect((await getSecurely(port, '/metrics', 'good')).status).toBe(200);
    expect(asked.map(({ path }) => path)).toEqual([
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      '/apis/authentication.k8s.io/v1/tokenreviews',
      '/apis/authentication.k8s.io/v1/tokenreviews',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    ]);
    expect(asked.at(-1)?.body).toEqual({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: 'prometheus',
        uid: 'u',
        groups: ['g'],
        extra: { k: ['v'] },
        nonResourceAttributes: { verb: 'get', path: '/metrics' },
      },
    });
  });

  it('show no state, and no reasons', async () => {
    const caches = { pods: { status: () => ({ ...filled, synced: false, lastError: 'secret server name' }) } };
    const port = await serve({ settings, reviewer }, { caches });
    expect((await getSecurely(port, '/debug/state', 'good')).status).toBe(404);
    const { status, body } = await getSecurely(port, '/readyz');
    expect(status).toBe(500);
    expect(body).toContain('[-]cache-pods failed: reason withheld\n');
  });
});
