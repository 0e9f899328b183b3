/**
 * What runs in each network namespace: it serves TCP and UDP at one port, says who asked, and asks others when it is told to.
 * One process for all of it, since starting one for each packet would take longer than all packets together.
 * Usage: `agent.ts NAME SOCKET PORT...`; it ends with the connection to its socket.
 */
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command, Reply, Request, Response, Tally } from './agent-protocol.ts';
import { type Conversation, open } from './conversation.ts';
import { serve } from './serving.ts';

const [name = '', socketPath = '', ...ports] = process.argv.slice(2);
const held = new Map<string, Conversation>();
const streams = new Map<string, Stream>();

async function askOnce(command: Extract<Command, { op: 'ask' | 'stream' }>): Promise<Reply> {
  const conversation = open(command.target);
  try {
    return await conversation.ask(command.limitMs);
  } finally {
    conversation.close();
  }
}

async function askMany(command: Extract<Command, { op: 'ask' }>): Promise<Tally> {
  const tally = new Counter();
  let left = command.count;
  const worker = async () => {
    while (left-- > 0) {
      const reply = await askOnce(command);
      tally.add(reply);
      // One that waited in vain says enough.
      if ('code' in reply && reply.code === 'SILENCE') left = 0;
    }
  };
  await Promise.all(Array.from({ length: Math.min(command.parallel, command.count) }, worker));
  return tally.entries();
}

class Counter {
  total = 0;
  readonly #counts = new Map<string, number>();

  add(reply: Reply): void {
    this.total++;
    const key = JSON.stringify(reply);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  entries(): Tally {
    return [...this.#counts].map(([key, count]) => ({ reply: JSON.parse(key) as Reply, count }));
  }
}

/** Between two connections of a stream, so that a dozen streams leave the machine some time. */
const PAUSE_MS = 3;

/** One question after the other, with a new connection each. */
class Stream {
  readonly #tally = new Counter();
  readonly #done: Promise<void>;
  #stopping = false;
  #waiting: { total: number; resolve: () => void }[] = [];

  constructor(command: Extract<Command, { op: 'stream' }>) {
    this.#done = this.#run(command);
  }

  progress(more: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ total: this.#tally.total + more, resolve }));
  }

  async stop(): Promise<Tally> {
    this.#stopping = true;
    await this.#done;
    return this.#tally.entries();
  }

  async #run(command: Extract<Command, { op: 'stream' }>): Promise<void> {
    while (!this.#stopping) {
      this.#tally.add(await askOnce(command));
      const reached = this.#waiting.filter(({ total }) => total <= this.#tally.total);
      this.#waiting = this.#waiting.filter((waiting) => !reached.includes(waiting));
      for (const { resolve } of reached) resolve();
      await delay(PAUSE_MS);
    }
  }
}

function find<T>(map: Map<string, T>, key: string): T {
  const found = map.get(key);
  if (!found) throw new Error(`"${key}" is unknown on ${name}`);
  return found;
}

async function execute(command: Command): Promise<unknown> {
  switch (command.op) {
    case 'ask':
      return askMany(command);
    case 'hold': {
      const conversation = open(command.target);
      held.set(command.key, conversation);
      return conversation.ask(command.limitMs);
    }
    case 'talk':
      return find(held, command.key).ask(command.limitMs);
    case 'release':
      find(held, command.key).close();
      held.delete(command.key);
      return null;
    case 'stream':
      streams.set(command.key, new Stream(command));
      return null;
    case 'progress':
      await find(streams, command.key).progress(command.more);
      return null;
    case 'stopStream': {
      const stream = find(streams, command.key);
      streams.delete(command.key);
      return stream.stop();
    }
  }
}

async function answer(connection: Socket, request: Request): Promise<void> {
  let response: Response;
  try {
    response = { id: request.id, result: (await execute(request)) as Tally };
  } catch (error) {
    response = { id: request.id, failure: error instanceof Error ? error.message : String(error) };
  }
  connection.write(`${JSON.stringify(response)}\n`);
}

for (const port of ports) await serve(name, Number(port));
createServer((connection) => {
  createInterface({ input: connection }).on('line', (line) => void answer(connection, JSON.parse(line) as Request));
  connection.once('close', () => process.exit(0));
}).listen(socketPath, () => process.stdout.write(`${name} is ready\n`));
