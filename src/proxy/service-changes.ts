import { isDeepStrictEqual } from 'node:util';
import type { IPFamily } from '../objects/meta.ts';
import { objectKey } from '../objects/meta.ts';
import type { Service } from '../objects/service.ts';
import type { ServiceKey } from './names.ts';
import { type ServicePortMap, servicePorts } from './service-ports.ts';

/** The service ports that a Service had at the last sync, and those it has now. */
export interface ServiceChange {
  readonly before: ServicePortMap;
  readonly after: ServicePortMap;
}

export type TakenServices = ReadonlyMap<ServiceKey, ServiceChange>;

interface Pending extends ServiceChange {
  /** Was taken once and came back: the taker may know the state in between, so that it must be told even of a cancelled change. */
  readonly returned: boolean;
}

/**
 * Collects what happened to Services since the last sync, as changes of their service ports: an update that changes nothing a
 * rule depends on leaves no trace, and neither does one that a later update takes back.
 */
export class ServiceChanges {
  readonly #family: IPFamily;
  readonly #report: (problem: string) => void;
  readonly #pending = new Map<ServiceKey, Pending>();
  #events = 0;

  /** @param report receives one line for each part of a Service that is left out */
  constructor(family: IPFamily, report: (problem: string) => void = () => {}) {
    this.#family = family;
    this.#report = report;
  }

  /** How many Services have changes that nobody took. */
  get pending(): number {
    return this.#pending.size;
  }

  /** How many events came in, including those that changed nothing. */
  get events(): number {
    return this.#events;
  }

  /**
   * @param before the Service before the event, `undefined` when it was added
   * @param after the Service after the event, `undefined` when it was deleted
   * @returns whether any Service has pending changes
   */
  onService(before: Service | undefined, after: Service | undefined): boolean {
    const service = after ?? before;
    if (!service) return this.#pending.size > 0;
    this.#events++;
    const key = objectKey(service.metadata);
    const known = this.#pending.get(key);
    const { ports, problems } = this.#portsOf(after);
    for (const problem of problems) this.#report(problem);
    const change = {
      before: known?.before ?? this.#portsOf(before).ports,
      after: ports,
      returned: known?.returned ?? false,
    };
    if (!change.returned && isDeepStrictEqual(change.before, change.after)) this.#pending.delete(key);
    else this.#pending.set(key, change);
    return this.#pending.size > 0;
  }

  /** Hands over all pending changes; from then on they are the taker's, who may `putBack` them. */
  take(): TakenServices {
    const taken = new Map([...this.#pending].map(([key, { before, after }]) => [key, { before, after }]));
    this.#pending.clear();
    return taken;
  }

  /** Makes taken changes pending again, joined with what happened in the meantime. */
  putBack(taken: TakenServices): void {
    for (const [key, { before, after }] of taken) {
      this.#pending.set(key, { before, after: this.#pending.get(key)?.after ?? after, returned: true });
    }
  }

  #portsOf(service: Service | undefined) {
    return service ? servicePorts(service, this.#family) : { ports: NO_PORTS, problems: [] };
  }
}

const NO_PORTS: ServicePortMap = new Map();
