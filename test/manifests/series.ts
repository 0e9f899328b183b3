import { collectDefaultMetrics, Registry } from 'prom-client';
import { assembleController } from '../../src/endpointslice/assemble.ts';
import { DEFAULT_CONTROLLER_OPTIONS } from '../../src/endpointslice/options.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { leaderMetrics } from '../../src/observe/leader-metrics.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { RequestMetrics } from '../../src/observe/request-metrics.ts';
import { ProxyMetrics } from '../../src/proxy/metrics.ts';

/** The names of the series that a process shows, by the name of its job. */
export function series(): Record<string, Set<string>> {
  const noServer = () => Promise.reject(new Error('there is no server'));
  const client: KubeClient = { request: noServer, stream: noServer, close: async () => undefined };
  const controller = new Registry();
  assembleController({ client, logger: silentLogger, registry: controller, options: DEFAULT_CONTROLLER_OPTIONS });
  leaderMetrics(controller, 'slicewise-controller', () => true);
  void new RequestMetrics(controller, 'https://192.0.2.1');
  const proxier = new Registry();
  void new ProxyMetrics(proxier);
  for (const register of [controller, proxier]) collectDefaultMetrics({ register });
  const names = (registry: Registry) =>
    registry.getMetricsAsArray().flatMap((metric) => [metric.name, `${metric.name}_bucket`, `${metric.name}_count`]);
  return {
    'slicewise-controller': new Set(['up', ...names(controller)]),
    'slicewise-proxier': new Set(['up', ...names(proxier)]),
  };
}
