import { connect, type Socket } from 'node:net';
import type { buildConnector } from 'undici';

export interface SocketOptions {
  /** Milliseconds until TCP must have connected. */
  timeoutMs: number;
  /** Milliseconds of silence before TCP probes its peer. */
  keepAliveMs: number;
}

/**
 * Knows the TCP sockets of a connector, so that all of them can be cut at once. An ordinary close, the end of the process included,
 * leaves to the kernel what was written but not acknowledged, and a write may reach the server minutes later, once a broken network is
 * whole again. A reset drops it.
 */
export class SeverableSockets {
  readonly #options: SocketOptions;
  readonly #open = new Set<Socket>();
  #severed = false;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  /** `inner`, with every socket known here. TLS is spoken over a socket made here, because only TCP sockets can be reset. */
  keeping(inner: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      if (options.protocol === 'https:') {
        this.#connect(options, (error, httpSocket) => {
          if (httpSocket) inner({ ...options, httpSocket }, callback);
          else callback(error, null);
        });
        return;
      }
      inner(options, (...result) => {
        const [error, socket] = result;
        if (socket) this.#keep(socket);
        if (error) callback(error, null);
        else callback(null, socket);
      });
    };
  }

  /** Resets every connection; those that come up later are reset too. */
  sever(): void {
    this.#severed = true;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  #connect(options: buildConnector.Options, done: (...result: [Error, null] | [null, Socket]) => void): void {
    const { timeoutMs, keepAliveMs } = this.#options;
    const socket = connect({
      host: options.hostname,
      port: Number(options.port || 443),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
      timeout: timeoutMs,
    });
    let connected = false;
    // Once TLS is spoken over it, its failures are those of the TLS socket, whose owner hears of them.
    socket.on('error', (error) => {
      if (!connected) done(error, null);
    });
    const expire = () => socket.destroy(timedOut(options));
    socket.once('timeout', expire);
    socket.once('connect', () => {
      connected = true;
      socket.setTimeout(0).removeListener('timeout', expire);
      this.#keep(socket);
      done(null, socket);
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#severed) socket.resetAndDestroy();
  }
}

function timedOut({ hostname, port }: buildConnector.Options): Error {
  return Object.assign(new Error(`connect timeout: ${hostname}:${port}`), { code: 'ETIMEDOUT' });
}
