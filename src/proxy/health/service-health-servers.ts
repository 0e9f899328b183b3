import type { Clock, Timer } from '../../clock.ts';
import { messageOf } from '../../kube/values.ts';
import type { IPFamily } from '../../objects/meta.ts';
import { type RunningHttpServer, startHttpServer } from '../../observe/http-server.ts';
import type { Logger } from '../../observe/logger.ts';
import { healthPortFailureEvent, type RecordEvent } from '../events.ts';
import type { ServiceKey } from '../names.ts';
import type { NodePortMatch } from '../node-ports.ts';
import { type HealthCheckPorts, type LocalReadyCounts, planHealthPorts, serviceHealthReply } from './service-health.ts';

export interface ServiceHealthServersOptions {
  readonly family: IPFamily;
  readonly nodeName: string;
  /** Where NodePorts of the family answer at this moment: health-check node ports answer there too. */
  nodePortMatch(): NodePortMatch;
  /** Of all families; see `ProxyHealth`. */
  proxyHealthy(): boolean;
  readonly record: RecordEvent;
  readonly logger: Logger;
  readonly clock: Clock;
  /** The real one unless a test says otherwise. */
  readonly listen?: typeof startHttpServer;
}

/** A port that another process holds is tried again this often; until then a load balancer takes this node for dead. */
const RETRY_MS = 5_000;

/**
 * The HTTP servers behind the health-check node ports of one family: one port for each Service, open on all its addresses or on none.
 * `sync` says what should be open; calls are worked off one after the other.
 */
export class ServiceHealthServers {
  #options: ServiceHealthServersOptions;
  #running = new Map<ServiceKey, { port: number; servers: RunningHttpServer[] }>();
  #desired: HealthCheckPorts = new Map();
  #counts: LocalReadyCounts = new Map();
  #addresses: readonly string[] = [];
  /** Service -> what was last reported about it. */
  #failures = new Map<ServiceKey, string>();
  #work: Promise<void> = Promise.resolve();
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: ServiceHealthServersOptions) {
    this.#options = options;
  }

  /** The ports that are open. */
  get open(): HealthCheckPorts {
    return new Map([...this.#running].map(([service, { port }]) => [service, port]));
  }

  /** To be called after each successful sync. Never rejects: a port that cannot be opened is reported and tried again. */
  sync(ports: HealthCheckPorts, counts: LocalReadyCounts): Promise<void> {
    this.#desired = ports;
    this.#counts = counts;
    return this.#reconcileNext();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#work;
    for (const service of [...this.#running.keys()]) await this.#closePort(service);
  }

  #reconcileNext(): Promise<void> {
    this.#work = this.#work.then(() => this.#reconcile());
    return this.#work;
  }

  async #reconcile(): Promise<void> {
    if (this.#closed) return;
    this.#retry?.cancel();
    const desired = this.#desired;
    const addresses = listenAddresses(this.#options.nodePortMatch(), this.#options.family);
    const moved = addresses.join() !== this.#addresses.join();
    this.#addresses = addresses;
    const plan = planHealthPorts(this.open, moved ? new Map() : desired);
    for (const service of plan.close) await this.#closePort(service);
    for (const { service, port } of planHealthPorts(this.open, desired).open) await this.#openPort(service, port);
    for (const service of this.#failures.keys()) if (!desired.has(service)) this.#failures.delete(service);
    if (this.#failures.size === 0) return;
    this.#retry = this.#options.clock.setTimer(() => void this.#reconcileNext(), RETRY_MS);
  }

  async #openPort(service: ServiceKey, port: number): Promise<void> {
    const { listen = startHttpServer, logger } = this.#options;
    const servers: RunningHttpServer[] = [];
    try {
      for (const host of this.#addresses) {
        const name = `the health check of ${service}`;
        const fallback = () => this.#reply(service);
        servers.push(await listen({ name, address: { host, port }, ipv6Only: true, routes: {}, fallback }));
      }
      this.#running.set(service, { port, servers });
      this.#failures.delete(service);
      logger.info({ service, port, addresses: this.#addresses }, 'health-check node port opened');
    } catch (error) {
      for (const server of servers) await server.close();
      this.#reportFailure(service, port, messageOf(error));
    }
  }

  #reportFailure(service: ServiceKey, port: number, why: string): void {
    const { logger, nodeName, record } = this.#options;
    const told = `${port} ${why}`;
    if (this.#failures.get(service) === told) return;
    this.#failures.set(service, told);
    logger.warn({ service, port, err: why }, 'health-check node port cannot be opened; it is tried again');
    record(healthPortFailureEvent(nodeName, service, port, why));
  }

  async #closePort(service: ServiceKey): Promise<void> {
    const running = this.#running.get(service);
    this.#running.delete(service);
    for (const server of running?.servers ?? []) await server.close();
    this.#options.logger.info({ service, port: running?.port }, 'health-check node port closed');
  }

  /** A request that comes in while its Service's port is being closed finds no endpoints. */
  #reply(service: ServiceKey) {
    const count = this.#running.has(service) ? (this.#counts.get(service) ?? 0) : 0;
    return serviceHealthReply(service, count, this.#options.proxyHealthy());
  }
}

/** Link-local IPv6 addresses are left out: without a zone nothing can listen on them. */
function listenAddresses(match: NodePortMatch, family: IPFamily): string[] {
  if (match.all) return [family === 'IPv4' ? '0.0.0.0' : '::'];
  return match.ips.filter((ip) => !/^fe[89ab]/.test(ip)).sort();
}
