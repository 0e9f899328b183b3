import { setTimeout as wait } from 'node:timers/promises';
import type { Action, Scenario } from '../scenario.ts';
import { HEARTBEAT_NAMESPACE } from './heartbeat.ts';
import { samples } from './metrics-page.ts';
import { Side, type StartController } from './side.ts';
import { countWrites, type Snapshot, takeSnapshot } from './snapshot.ts';
import type { ApiObject, Change } from './watch-log.ts';
import { World } from './world.ts';

/** Step -> how a side looked after it; or why the scenario could not be played there. */
export type Outcome = Map<string, Snapshot> | Error;

export interface TakeOver {
  /** Namespaces in which slices were written. */
  written: string[];
  /** Calls that changed nothing. */
  needless: number;
}

/** Plays scenarios to several controllers, each on an API server of its own. */
export class Arena<Name extends string> {
  readonly sides: Readonly<Record<Name, Side>>;
  readonly #start: Record<Name, StartController>;

  private constructor(sides: Record<Name, Side>, start: Record<Name, StartController>) {
    this.sides = sides;
    this.#start = { ...start };
  }

  static async open<Name extends string>(assets: string, start: Record<Name, StartController>): Promise<Arena<Name>> {
    const names = Object.keys(start) as Name[];
    const opened = await Promise.allSettled(names.map((name) => Side.start(name, assets)));
    const sides = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = opened.find((result) => result.status === 'rejected');
    const arena = new Arena(Object.fromEntries(sides.map((side) => [side.name, side])) as Record<Name, Side>, start);
    try {
      if (failed) throw failed.reason;
      await arena.#each((name) => arena.sides[name].startController(start[name]));
      return arena;
    } catch (error) {
      await arena.close();
      throw error;
    }
  }

  /** Does something on all sides that concerns all scenarios. */
  async prepare(actions: readonly Action[]): Promise<void> {
    await this.#each(async (name) => {
      const world = new World(this.sides[name], 'default', () => Promise.resolve());
      for (const action of actions) await world.act(action);
    });
  }

  async close(): Promise<void> {
    await this.#each((name) => this.sides[name].stop());
  }

  /** From now on these are the controllers. Resolves with what each did to take over what it found. */
  async change(start: Record<Name, StartController>): Promise<Record<Name, TakeOver>> {
    Object.assign(this.#start, start);
    const results: [Name, TakeOver][] = [];
    await this.#each(async (name) => {
      const side = this.sides[name];
      const before = new Map(side.slices.namespaces().map((each) => [each, side.slices.changes(each).length]));
      await side.startController(start[name]);
      const namespaces = side.slices.namespaces().filter((each) => each !== HEARTBEAT_NAMESPACE);
      await side.settled(namespaces);
      const isNew = (_: Change, i: number, of: string) => i >= (before.get(of) ?? 0);
      const written = namespaces.filter((each) => side.slices.changes(each).length > (before.get(each) ?? 0));
      results.push([name, { written, needless: await needlessCalls(side, isNew) }]);
    });
    return Object.fromEntries(results) as Record<Name, TakeOver>;
  }

  /** Deletes all Services of the scenarios played so far, so that what follows does not concern them. */
  async clear(): Promise<void> {
    await this.#each(async (name) => {
      const { client } = this.sides[name];
      const list = (await client.request({ method: 'GET', path: '/api/v1/services' })) as { items: ApiObject[] };
      for (const { metadata } of list.items) {
        if (metadata.namespace === HEARTBEAT_NAMESPACE || metadata.namespace === 'default') continue;
        const path = `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}`;
        await client.request({ method: 'DELETE', path });
      }
      await this.sides[name].keepsUp();
    });
  }

  async metrics(): Promise<Record<Name, string>> {
    const pages = await Promise.all(
      Object.entries<Side>(this.sides).map(async ([name, side]) => [name, await side.metrics()]),
    );
    return Object.fromEntries(pages);
  }

  /** Plays scenarios next to each other, each in a namespace of its own. */
  async playAll(scenarios: readonly Scenario[], outcomes: Map<string, Record<Name, Outcome>>): Promise<void> {
    await Promise.all(scenarios.map(async (scenario) => outcomes.set(scenario.name, await this.play(scenario))));
  }

  /** @param alone nothing else happens meanwhile, so that calls that change nothing can be counted. */
  async play(scenario: Scenario, { alone = false } = {}): Promise<Record<Name, Outcome>> {
    const outcomes: [Name, Outcome][] = [];
    await this.#each(async (name) => {
      try {
        outcomes.push([name, await this.#playOn(name, scenario, alone)]);
      } catch (error) {
        outcomes.push([name, error instanceof Error ? error : new Error(String(error))]);
      }
    });
    return Object.fromEntries(outcomes) as Record<Name, Outcome>;
  }

  async #playOn(name: Name, scenario: Scenario, alone: boolean): Promise<Map<string, Snapshot>> {
    const side = this.sides[name];
    const world = new World(side, namespaceOf(scenario), () => side.startController(this.#start[name]));
    await world.prepare();
    const outcome = new Map<string, Snapshot>();
    const now = () => ({
      slices: side.slices.current(world.namespace),
      count: side.slices.changes(world.namespace).length,
    });
    let last = now();
    let needless = alone ? await needlessCalls(side, (change) => !world.isByHand(change), Number.NEGATIVE_INFINITY) : 0;
    for (const step of scenario.steps) {
      for (const action of step.do) await world.act(action);
      const { until } = step;
      await side.settled([world.namespace], () => until === undefined || endpointsIn(world) === until.endpoints);
      const snapshot = takeSnapshot(world, step, last, scenario);
      last = now();
      if (alone) {
        // A controller that has been restarted counts from nothing.
        const restarted = step.do.some((action) => action.op === 'restart controller');
        const earlier = restarted ? Number.NEGATIVE_INFINITY : needless;
        const total = await needlessCalls(side, (change) => !world.isByHand(change), earlier);
        if (!restarted) snapshot.needless = total > needless ? 'some' : 'none';
        needless = total;
      }
      for (const aspect of step.ignore ?? []) snapshot[aspect] = 'not compared';
      outcome.set(step.step, snapshot);
    }
    for (const action of scenario.cleanUp ?? []) await world.act(action);
    return outcome;
  }

  async #each(work: (name: Name) => Promise<void>): Promise<void> {
    const results = await Promise.allSettled((Object.keys(this.sides) as Name[]).map(work));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
}

/** A scenario's name as a namespace's. */
export function namespaceOf({ name }: Scenario): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60)
    .replace(/-$/, '');
}

function endpointsIn({ side, namespace }: World): number {
  const sizes = side.slices.current(namespace).map(({ endpoints }) => (endpoints as unknown[] | null)?.length ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Successful calls that the controller has counted, less what they changed. A call shows here before the controller has its answer and
 * counts it, so the number is asked for until it stays the same. It never falls below an earlier one of the same process.
 */
async function needlessCalls(
  side: Side,
  isCounted: (change: Change, i: number, namespace: string) => boolean,
  earlier = 0,
): Promise<number> {
  const deadline = performance.now() + 10_000;
  for (let last: number | undefined; ; ) {
    const calls = samples(await side.metrics()).filter(({ name }) => name === 'endpoint_slice_controller_changes');
    const changes = side.slices
      .namespaces()
      .flatMap((namespace) => side.slices.changes(namespace).filter((change, i) => isCounted(change, i, namespace)));
    const { create, update, delete: deleted } = countWrites(changes);
    const now = calls.reduce((sum, { value }) => sum + value, 0) - create - update - deleted;
    if ((now === last && now >= earlier) || performance.now() > deadline) return now;
    last = now;
    await wait(100);
  }
}
