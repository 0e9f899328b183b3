import type { Registry } from 'prom-client';
import type { Clock } from '../../clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isRecord, messageOf } from '../../kube/values.ts';
import { DelegatedAuth, type Reviews, type UserInfo } from '../../observe/delegated-auth.ts';
import { healthRoutes } from '../../observe/health-checks.ts';
import { json, type Route, type RunningHttpServer, startHttpServer } from '../../observe/http-server.ts';
import type { Logger } from '../../observe/logger.ts';
import { certificateFromFiles, selfSignedCertificate } from '../../observe/serving-certificate.ts';
import { type Checked, livenessChecks, readinessChecks } from './checks.ts';
import type { Settings } from './settings.ts';

export interface PagesParts {
  settings: Pick<Settings, 'plain' | 'secure'>;
  alwaysAllow: readonly string[];
  registry: Registry;
  checked: Checked;
  /** What /debug/state shows. */
  state: () => object;
  /** Asks the API server about callers; called at most once. */
  reviewer: () => KubeClient;
  clock: Clock;
  logger: Logger;
}

/** Serves what the settings ask for. @throws UserError when an address or a certificate cannot be used */
export async function servePages(parts: PagesParts): Promise<{ close(): Promise<void> }> {
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const one of closing.splice(0).toReversed()) await one();
  };
  try {
    if (parts.settings.plain) closing.push((await servePlain(parts, parts.settings.plain)).close);
    if (parts.settings.secure) closing.push(await serveSecure(parts, parts.settings.secure));
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function servePlain(parts: PagesParts, address: NonNullable<Settings['plain']>): Promise<RunningHttpServer> {
  const { logger, state } = parts;
  const server = await startHttpServer({
    name: 'metrics',
    address,
    routes: { ...pages(parts, true), '/debug/state': () => json(state()) },
    onError: (error, path) => logger.error({ err: error, path }, 'request failed'),
  });
  logger.info({ address: server.address }, 'serving metrics');
  return server;
}

async function serveSecure(
  parts: PagesParts,
  { address, files }: NonNullable<Settings['secure']>,
): Promise<() => Promise<void>> {
  const { logger, clock, alwaysAllow } = parts;
  const onNote = (level: 'info' | 'warn', note: string) => logger[level](note);
  const certificate = files
    ? await certificateFromFiles({ ...files, clock, onNote })
    : await selfSignedCertificate(clock.now());
  const client = parts.reviewer();
  const auth = new DelegatedAuth({
    reviews: reviews(client),
    alwaysAllow,
    clock,
    onError: (error) => logger.warn({ err: messageOf(error) }, 'the API server could not be asked about a caller'),
  });
  const server = await startHttpServer({
    name: 'https',
    address,
    routes: pages(parts, false),
    certificate,
    guard: (request, path) => auth.check(request, path),
    onError: (error, path) => logger.error({ err: error, path }, 'request failed'),
  });
  logger.info({ address: server.address, certificate: files?.certFile ?? 'self-signed' }, 'serving https');
  return async () => {
    await server.close();
    certificate.close();
    await client.close();
  };
}

function pages({ registry, checked }: PagesParts, showReasons: boolean): Record<string, Route> {
  const liveness = livenessChecks(checked);
  return {
    '/metrics': async () => ({ status: 200, contentType: registry.contentType, body: await registry.metrics() }),
    ...healthRoutes({ page: 'livez', checks: liveness, showReasons }),
    ...healthRoutes({ page: 'healthz', checks: liveness, showReasons }),
    ...healthRoutes({ page: 'readyz', checks: readinessChecks(checked), showReasons }),
  };
}

/** authentication.k8s.io/v1 TokenReview and authorization.k8s.io/v1 SubjectAccessReview. */
function reviews(client: KubeClient): Reviews {
  const ask = async (group: string, kind: string, spec: object): Promise<Record<string, unknown>> => {
    const answer = await client.request({
      method: 'POST',
      path: `/apis/${group}/v1/${kind.toLowerCase()}s`,
      body: { apiVersion: `${group}/v1`, kind, spec },
      timeoutMs: 10_000,
    });
    return isRecord(answer) && isRecord(answer.status) ? answer.status : {};
  };
  return {
    async authenticate(token) {
      const { authenticated, user } = await ask('authentication.k8s.io', 'TokenReview', { token });
      return authenticated === true && isUser(user) ? user : undefined;
    },
    async authorize({ username, uid, groups, extra }, verb, path) {
      const spec = { user: username, uid, groups, extra, nonResourceAttributes: { verb, path } };
      return (await ask('authorization.k8s.io', 'SubjectAccessReview', spec)).allowed === true;
    },
  };
}

function isUser(value: unknown): value is UserInfo {
  return isRecord(value) && typeof value.username === 'string';
}
