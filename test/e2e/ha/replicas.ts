import { eventually } from '../../endpointslice/support/cluster.ts';
import { type Arena, REPLICAS } from './arena.ts';
import { Replica } from './replica.ts';

const START_MS = 30_000;

/** Three replicas of one controller. */
export class Replicas {
  readonly all: Replica[] = [];
  readonly #arena: Arena;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  async start(): Promise<void> {
    for (const name of REPLICAS) this.all.push(await Replica.start(name, this.#arena));
    await this.complete();
  }

  /** One leads, and the others wait with filled caches. */
  async complete(): Promise<void> {
    await eventually(async () => {
      const state = this.all.map(({ name, leads, isWarm }) => ({ name, leads, isWarm }));
      if (state.filter(({ leads }) => leads).length !== 1 || !state.every(({ isWarm }) => isWarm)) {
        throw new Error(`the replicas are not complete: ${JSON.stringify(state)}`);
      }
    }, START_MS);
  }

  get leader(): Replica {
    const [leader, ...others] = this.all.filter(({ leads }) => leads);
    if (!leader || others.length > 0) throw new Error(`not one leader but ${others.length}`);
    return leader;
  }

  /** Resolves with the replica that leads after `before`. */
  async successor(before: Replica): Promise<Replica> {
    let found: Replica | undefined;
    await eventually(async () => {
      found = this.all.find((replica) => replica !== before && replica.leads);
      if (!found) throw new Error(`nobody leads after ${before.name}`);
    }, START_MS);
    if (!found) throw new Error('unreachable');
    return found;
  }

  /** Starts a replica that has ended, and waits until there are three again. */
  async replace(replica: Replica): Promise<void> {
    await replica.exit;
    replica.launch();
    await this.complete();
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((replica) => replica.stop()));
  }
}
