import type { Registry } from 'prom-client';
import { json, type Route, text } from '../../observe/http-server.ts';
import { configz } from '../config/print.ts';
import type { KubeProxyConfiguration } from '../config/types.ts';

/** What kube-proxy serves on `metricsBindAddress`, as far as it makes sense here. */
export function metricsPages(registry: Registry, config: KubeProxyConfiguration): Record<string, Route> {
  return {
    '/metrics': async () => ({ status: 200, contentType: registry.contentType, body: await registry.metrics() }),
    '/healthz': () => text('ok'),
    '/proxyMode': () => text(config.mode),
    '/configz': () => json(configz(config)),
  };
}
