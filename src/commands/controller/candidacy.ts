import { hostname } from 'node:os';
import type { Clock, Random } from '../../clock.ts';
import { createEventRecorder, type EventRecorder } from '../../kube/events.ts';
import type { SeverableClient } from '../../kube/http-client.ts';
import { LeaderElector } from '../../kube/leader/elector.ts';
import { leaseClient } from '../../kube/leader/lease-client.ts';
import { leaseEvent } from '../../kube/leader/lease-events.ts';
import type { Logger } from '../../observe/logger.ts';
import { within } from '../within.ts';
import type { ElectionSettings } from './settings.ts';

export interface CandidacyParts {
  settings: ElectionSettings;
  /** For nothing else: a large list or a flood of writes must not keep a renewal waiting. */
  client: SeverableClient;
  clock: Clock;
  random: Random;
  logger: Logger;
}

/** How long the Lease and the last events may keep a process that ends. */
const RELEASE_MS = 2000;
const EVENTS_MS = 1000;

/** This process's part in the election of the one replica that writes. */
export class Candidacy {
  /** Resolves once this replica leads. */
  readonly elected: Promise<void>;
  readonly #parts: CandidacyParts;
  readonly #elector: LeaderElector;
  readonly #events: EventRecorder;
  readonly #stop = new AbortController();
  readonly #elect: () => void;
  #running: Promise<'lost' | 'stopped'> | undefined;
  /** From election to loss, whether or not the Lease could be renewed meanwhile. */
  #leading = false;

  constructor(parts: CandidacyParts) {
    const { settings, client, clock, random, logger } = parts;
    this.#parts = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.elected = promise;
    this.#elect = resolve;
    const reporter = { component: 'slicewise-controller', host: hostname() };
    this.#events = createEventRecorder({ client, reporter, logger, clock });
    this.#elector = new LeaderElector(
      settings,
      {
        onStartedLeading: () => this.#started(),
        onStoppedLeading: () => this.#stopped(),
        onNewLeader: (identity) => logger.info({ identity }, 'leader election: new leader'),
      },
      { leases: leaseClient(client, settings.namespace, settings.name), clock, random, logger },
    );
  }

  /** Whether this replica may write at this moment. */
  get isLeader(): boolean {
    return this.#elector.isLeader;
  }

  /** Resolves when leadership is lost; never, when it is given up by `stop`. */
  async run(): Promise<void> {
    this.#running = this.#elector.run(this.#stop.signal);
    if ((await this.#running) === 'stopped') await new Promise<never>(() => undefined);
  }

  /** Why this process had better be killed; undefined when all is well. */
  problem(): string | undefined {
    if (!this.#leading || this.#elector.isLeader) return undefined;
    return `the lease ${this.#parts.settings.namespace}/${this.#parts.settings.name} could not be renewed in time`;
  }

  status(): object {
    const { identity, namespace, name } = this.#parts.settings;
    const { holder, isLeader } = this.#elector;
    return { lease: `${namespace}/${name}`, identity, holder, leads: isLeader };
  }

  /** Gives the Lease back, so that another may lead at once. Takes 3 s at most, whatever the API server does. */
  async stop(): Promise<void> {
    const { clock, logger, client } = this.#parts;
    const onError = (error: unknown) => logger.warn({ err: error }, 'leader election did not end well');
    this.#stop.abort();
    const released = (this.#running ?? Promise.resolve()).then(() => undefined);
    // Who does not take the Lease back takes no events either.
    if (!(await within(clock, RELEASE_MS, released, onError))) client.sever();
    await within(clock, EVENTS_MS, this.#events.stop(), onError);
    client.sever();
  }

  #started(): void {
    this.#leading = true;
    this.#events.record(leaseEvent(this.#elector.lease, this.#parts.settings, 'became leader'));
    this.#elect();
  }

  #stopped(): void {
    this.#leading = false;
    this.#events.record(leaseEvent(this.#elector.lease, this.#parts.settings, 'stopped leading'));
  }
}
