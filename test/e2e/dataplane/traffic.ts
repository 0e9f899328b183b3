import type { Reply, Target } from './agent-protocol.ts';
import type { Place } from './places.ts';
import type { Probe } from './probe.ts';

export interface Way {
  from: Place;
  target: Target;
}

/** How many connections a stream has to make before and after the thing that is tested. */
const SETTLED = 10;
const PATIENCE_MS = 10_000;

/** Connections that stand and connections that are made one after the other, on several ways at once. */
export class Traffic {
  readonly #probe: (place: Place) => Probe;
  readonly #ways: readonly (Way & { key: string })[];
  readonly #answeredBy = new Map<string, string>();
  #streaming = false;

  constructor(world: { probe(place: Place): Probe }, ways: readonly Way[]) {
    this.#probe = (place) => world.probe(place);
    this.#ways = ways.map((way, index) => ({ ...way, key: `way-${index}` }));
  }

  /** @throws Error when a connection cannot be made */
  async hold(): Promise<void> {
    await Promise.all(
      this.#ways.map(async ({ from, target, key }) => {
        const reply = await this.#probe(from).run('hold', { key, target, limitMs: PATIENCE_MS });
        if ('code' in reply) throw new Error(`${from} cannot connect to ${target.address}: ${reply.code}`);
        this.#answeredBy.set(key, reply.by);
      }),
    );
  }

  /** A line for each connection that is not what it was: gone, silent, or at another end. */
  async brokenConnections(): Promise<string[]> {
    const lines = this.#ways.map(async ({ from, target, key }) => {
      const reply = await this.#probe(from).run('talk', { key, limitMs: PATIENCE_MS });
      const before = this.#answeredBy.get(key);
      return 'by' in reply && reply.by === before ? [] : [`${describe(from, target)} to ${before}: ${words(reply)}`];
    });
    return (await Promise.all(lines)).flat();
  }

  /** Resolves when each stream flows. */
  async startStreams(): Promise<void> {
    this.#streaming = true;
    await Promise.all(
      this.#ways.map(async ({ from, target, key }) => {
        await this.#probe(from).run('stream', { key, target, limitMs: PATIENCE_MS });
        await this.#probe(from).run('progress', { key, more: SETTLED });
      }),
    );
  }

  /**
   * A line for each kind of failure of a new connection since `startStreams`, until a while after this call. An answer of the wire
   * is one: no node took care of the packet.
   *
   * @param allowed codes that are no failure
   */
  async stopStreams(allowed: readonly string[] = []): Promise<string[]> {
    this.#streaming = false;
    const lines = this.#ways.map(async ({ from, target, key }) => {
      await this.#probe(from).run('progress', { key, more: SETTLED });
      const tally = await this.#probe(from).run('stopStream', { key });
      return tally.flatMap(({ reply, count }) =>
        ('code' in reply ? !allowed.includes(reply.code) : reply.by === 'wire')
          ? [`${describe(from, target)}: ${count} x ${words(reply)}`]
          : [],
      );
    });
    return (await Promise.all(lines)).flat();
  }

  async stop(): Promise<void> {
    if (this.#streaming) await this.stopStreams();
    await Promise.all(this.#ways.map(({ from, key }) => this.#probe(from).run('release', { key })));
  }
}

function describe(from: Place, target: Target): string {
  return `${from} -> ${target.address} port ${target.port}`;
}

function words(reply: Reply): string {
  return 'code' in reply ? reply.code : `answered by ${reply.by}`;
}
