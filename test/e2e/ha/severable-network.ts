import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** One direction of a connection: what was sent while the network was cut, in order. `end` is the sender's orderly close. */
interface Way {
  from: Socket;
  to: Socket;
  held: (Buffer | 'end')[];
}

/**
 * A network between one client and a server, which can be cut and made whole again. While it is cut nothing arrives, and nobody is
 * told: bytes that a living kernel would keep sending arrive once the network is whole, even those of a process that has ended; what a
 * reset has dropped never arrives.
 */
export class SeverableNetwork {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #ways = new Set<Way>();
  #cut = false;

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
  }

  /** `target`: URL of the server. */
  static async start(target: string): Promise<SeverableNetwork> {
    const { hostname, port } = new URL(target);
    const server = createServer({ allowHalfOpen: true });
    const network = new SeverableNetwork(server, { host: hostname, port: Number(port) });
    server.on('connection', (client) => network.#join(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  cut(): void {
    this.#cut = true;
  }

  /** What was held is delivered, in order. */
  mend(): void {
    this.#cut = false;
    for (const way of this.#ways) for (const piece of way.held.splice(0)) deliver(way, piece);
  }

  async stop(): Promise<void> {
    for (const { from } of this.#ways) from.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = connect({ ...this.#target, allowHalfOpen: true });
    const ways: Way[] = [
      { from: client, to: server, held: [] },
      { from: server, to: client, held: [] },
    ];
    for (const way of ways) {
      this.#ways.add(way);
      const { from, to } = way;
      from.setNoDelay(true);
      from.on('data', (bytes: Buffer) => this.#carry(way, bytes));
      from.on('end', () => this.#carry(way, 'end'));
      // A reset: what its sender had not brought across by then is lost, and so is the connection.
      from.on('error', () => {
        way.held = [];
        to.destroy();
      });
      from.on('close', () => {
        if (way.held.length === 0) this.#ways.delete(way);
      });
    }
  }

  #carry(way: Way, piece: Buffer | 'end'): void {
    if (this.#cut || way.held.length > 0) way.held.push(piece);
    else deliver(way, piece);
  }
}

function deliver({ to }: Way, piece: Buffer | 'end'): void {
  if (to.destroyed) return;
  if (piece === 'end') to.end();
  else to.write(piece);
}
