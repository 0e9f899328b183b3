import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { HostProcess, Hosts } from '../../../src/embedded/hosts/hosts.ts';
import type { Command, Request, Response, Results } from './agent-protocol.ts';

type Payload<Op extends Command['op']> = Omit<Extract<Command, { op: Op }>, 'op'>;
interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

const AGENT = new URL('./agent.ts', import.meta.url).pathname;

/** Our end of the line to an agent in a network namespace. */
export class Probe {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  /** Starts the agent on a host of `hosts`, known as `name`, serving at `ports`. */
  static async start(hosts: Hosts, host: string, name: string, ports: readonly number[]): Promise<Probe> {
    // Unix sockets in the file system are reached from every network namespace.
    const path = `${hosts.runDir}/${name}.sock`;
    const agent = await hosts.spawn(host, [process.execPath, AGENT, name, path, ...ports.map(String)]);
    await agent.waitForLine(/ is ready$/);
    return new Probe(path, agent);
  }

  constructor(path: string, agent: HostProcess) {
    this.#socket = connect(path);
    this.#socket.on('error', (error) => this.#fail(error));
    createInterface({ input: this.#socket }).on('line', (line) => this.#settle(JSON.parse(line) as Response));
    void agent.exited.then(() => this.#fail(new Error(`the agent ended: ${agent.recentLines.slice(-5).join('\n')}`)));
  }

  /** @throws Error when the agent cannot do it or has ended */
  async run<Op extends Command['op']>(op: Op, payload: Payload<Op>): Promise<Results[Op]> {
    const id = this.#nextId++;
    const request = { ...payload, op, id } as unknown as Request;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as Results[Op]), reject });
      this.#socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Ends the agent too. */
  stop(): void {
    this.#socket.destroy();
  }

  #settle(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('failure' in response) waiting?.reject(new Error(response.failure));
    else waiting?.resolve(response.result);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
