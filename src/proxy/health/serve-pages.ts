import type { Registry } from 'prom-client';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../kube/values.ts';
import type { Node } from '../../objects/node.ts';
import type { Route, startHttpServer } from '../../observe/http-server.ts';
import type { Logger } from '../../observe/logger.ts';
import { listenAddress } from '../config/host-port.ts';
import type { KubeProxyConfiguration } from '../config/types.ts';
import { bindFailureEvent, type RecordEvent } from '../events.ts';
import type { ProxyMetrics } from '../metrics.ts';
import { metricsPages } from './metrics-pages.ts';
import { isNodeEligible } from './node-eligibility.ts';
import type { ProxyHealthTracker } from './proxy-health.ts';
import { proxyPages } from './proxy-pages.ts';
import { type StatusServer, serveStatus } from './status-server.ts';

export interface ProxyPagesServerOptions {
  readonly config: KubeProxyConfiguration;
  readonly nodeName: string;
  readonly registry: Registry;
  readonly metrics: Pick<ProxyMetrics, 'healthAnswered'>;
  readonly health: ProxyHealthTracker;
  /** The own Node as it is now. */
  node(): Node | undefined;
  readonly record: RecordEvent;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The real one unless a test says otherwise. */
  readonly listen?: typeof startHttpServer;
}

/**
 * Serves the pages of `healthzBindAddress` and `metricsBindAddress`; an empty address means no server. @throws UserError when
 * an address cannot be bound and `bindAddressHardFail` is set, after recording the event that says so.
 */
export async function serveProxyPages(options: ProxyPagesServerOptions): Promise<{ close(): Promise<void> }> {
  const { config, registry, metrics, health, node } = options;
  const healthPages = proxyPages({
    health: () => health.health(),
    nodeEligible: () => isNodeEligible(node()),
    answered: (page, status) => metrics.healthAnswered(page, status),
  });
  const wanted: [StatusServerName, string, Record<string, Route>][] = [
    ['healthz', config.healthzBindAddress, healthPages],
    ['metrics', config.metricsBindAddress, metricsPages(registry, config)],
  ];
  const servers: StatusServer[] = [];
  const close = async () => {
    for (const server of servers) await server.close();
  };
  for (const [name, address, routes] of wanted) {
    if (address === '') continue;
    try {
      servers.push(await serve(options, name, address, routes));
    } catch (error) {
      await close();
      options.record(bindFailureEvent(options.nodeName, name, messageOf(error)));
      throw error;
    }
  }
  return { close };
}

type StatusServerName = 'healthz' | 'metrics';

function serve(options: ProxyPagesServerOptions, name: StatusServerName, text: string, routes: Record<string, Route>) {
  const { config, clock, logger, listen } = options;
  return serveStatus({
    name,
    address: listenAddress(`${name}BindAddress`, text),
    routes,
    hardFail: config.bindAddressHardFail,
    clock,
    logger,
    ...(listen && { listen }),
  });
}
