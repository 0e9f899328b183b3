import { type HttpReply, json, type Route } from '../../observe/http-server.ts';
import type { ProxyHealth } from './proxy-health.ts';

export interface ProxyPagesOptions {
  health(): ProxyHealth;
  /** See `isNodeEligible`. */
  nodeEligible(): boolean;
  /** One answer was given, for the metrics. */
  answered(page: 'healthz' | 'livez', status: 200 | 503): void;
}

/**
 * `/healthz` and `/livez` as kube-proxy serves them on `healthzBindAddress`. Load balancers read `/healthz`, which a node on its way
 * out fails too; a liveness probe reads `/livez`, which it does not.
 */
export function proxyPages({ health, nodeEligible, answered }: ProxyPagesOptions): Record<string, Route> {
  return {
    '/healthz': () => {
      const reply = healthzReply(health(), nodeEligible());
      answered('healthz', reply.status === 200 ? 200 : 503);
      return reply;
    },
    '/livez': () => {
      const reply = livezReply(health());
      answered('livez', reply.status === 200 ? 200 : 503);
      return reply;
    },
  };
}

/** `healthy` in the body does not include `nodeEligible`: it can be true beside status 503. */
export function healthzReply(health: ProxyHealth, nodeEligible: boolean): HttpReply {
  return reply(health, health.healthy && nodeEligible, { nodeEligible });
}

export function livezReply(health: ProxyHealth): HttpReply {
  return reply(health, health.healthy, {});
}

function reply(health: ProxyHealth, ok: boolean, extra: { nodeEligible?: boolean }): HttpReply {
  const families = Object.entries(health.families).map(([family, { lastUpdated, healthy }]) => [
    family,
    { lastUpdated: rfc3339(lastUpdated.wall), healthy },
  ]);
  const body = {
    // An old promise: while all is well this time is recent, even if nothing has changed for long.
    lastUpdated: rfc3339(ok ? health.now.wall : health.lastUpdated?.wall),
    currentTime: rfc3339(health.now.wall),
    ...extra,
    healthy: health.healthy,
    ...(families.length === 0 ? {} : { status: Object.fromEntries(families) }),
  };
  return json(body, ok ? 200 : 503);
}

/** As Go prints a time in JSON: no zeros at the end of the fraction, and the year 1 for none. */
function rfc3339(wall: number | undefined): string {
  if (wall === undefined) return '0001-01-01T00:00:00Z';
  return new Date(wall).toISOString().replace(/\.?0*Z$/, 'Z');
}
