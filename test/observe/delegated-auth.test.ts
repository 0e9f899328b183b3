import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { DelegatedAuth, type Reviews } from '../../src/observe/delegated-auth.ts';
import { FakeClock } from '../support/fake-clock.ts';

const request = (authorization?: string, method = 'GET') =>
  ({ method, headers: authorization === undefined ? {} : { authorization } }) as IncomingMessage;

/** Token `t-alice` is alice's, who may get /metrics; nobody else is anybody, or may do anything. */
function auth(overrides: Partial<Reviews> = {}) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const errors: unknown[] = [];
  const reviews: Reviews = {
    authenticate: async (token) => {
      asked.push(`who is ${token}`);
      return token === 't-alice' ? { username: 'alice', groups: ['ops'] } : undefined;
    },
    authorize: async (user, verb, path) => {
      asked.push(`may ${user.username} ${verb} ${path}`);
      return user.username === 'alice' && path === '/metrics';
    },
    ...overrides,
  };
  const guard = new DelegatedAuth({
    reviews,
    alwaysAllow: ['/livez', '/public/*'],
    clock,
    onError: (error) => errors.push(error),
  });
  const status = async (path: string, ...from: Parameters<typeof request>) =>
    (await guard.check(request(...from), path))?.status ?? 'passes';
  return { clock, asked, errors, guard, status };
}

describe('delegated authentication and authorisation', () => {
  it('lets pass whom the API server knows and allows', async () => {
    const { status, asked } = auth();
    expect(await status('/metrics', 'Bearer t-alice')).toBe('passes');
    expect(asked).toEqual(['who is t-alice', 'may alice get /metrics']);
  });

  it('answers 401 for a token that is nobody’s, and for credentials of another kind', async () => {
    const { status } = auth();
    expect(await status('/metrics', 'Bearer forged')).toBe(401);
    expect(await status('/metrics', 'Basic dTpw')).toBe(401);
  });

  it('answers 403 for what the user may not see, naming user, verb and path', async () => {
    const { guard } = auth();
    const reply = await guard.check(request('Bearer t-alice', 'HEAD'), '/readyz/verbose');
    expect(reply).toMatchObject({
      status: 403,
      body: 'Forbidden: user "alice" cannot head path "/readyz/verbose"\n',
    });
  });

  it('treats a request without credentials as the anonymous user’s', async () => {
    const { status, asked } = auth();
    expect(await status('/metrics')).toBe(403);
    expect(asked).toEqual(['may system:anonymous get /metrics']);
  });

  it('asks nobody about the paths that everybody may see', async () => {
    const { status, asked } = auth();
    expect(await status('/livez', 'Bearer forged')).toBe('passes');
    expect(await status('/public/a/b')).toBe('passes');
    expect(await status('/livez/ping')).toBe(403);
    expect(asked).toEqual(['may system:anonymous get /livez/ping']);
  });

  it('believes an answer for ten seconds, and shares a question between those who ask at once', async () => {
    const { status, asked, clock } = auth();
    await Promise.all([status('/metrics', 'Bearer t-alice'), status('/metrics', 'Bearer t-alice')]);
    await clock.advance(9999);
    await status('/metrics', 'Bearer t-alice');
    expect(asked).toHaveLength(2);
    await clock.advance(1);
    await status('/metrics', 'Bearer t-alice');
    expect(asked).toHaveLength(4);
  });

  it('answers 503 when the API server cannot be asked, tells why, and asks again the next time', async () => {
    let away = true;
    const { status, errors } = auth({
      authenticate: async () => {
        if (away) throw new Error('connection refused');
        return { username: 'alice' };
      },
    });
    expect(await status('/metrics', 'Bearer t-alice')).toBe(503);
    expect(errors).toEqual([new Error('connection refused')]);
    away = false;
    expect(await status('/metrics', 'Bearer t-alice')).toBe('passes');
  });
});
