import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import type { Answer, Reply, Target } from './agent-protocol.ts';

/** One TCP connection, or one UDP port of ours, to one address. */
export interface Conversation {
  /** One question at a time. Resolves also when there is no answer; then with the reason. */
  ask(limitMs: number): Promise<Reply>;
  close(): void;
}

export function open(target: Target): Conversation {
  return target.transport === 'TCP' ? new TcpConversation(target) : new UdpConversation(target);
}

/** The next reply, whoever waits for it; after a failure that failure for ever. */
class Replies {
  #waiting: ((reply: Reply) => void) | undefined;
  #unread: Reply[] = [];
  #failure: Reply | undefined;

  push(reply: Reply): void {
    if (this.#waiting) this.#waiting(reply);
    else this.#unread.push(reply);
  }

  fail(code: string): void {
    this.#failure ??= { code };
    this.#waiting?.(this.#failure);
  }

  next(limitMs: number): Promise<Reply> {
    const ready = this.#unread.shift() ?? this.#failure;
    if (ready) return Promise.resolve(ready);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting?.({ code: 'SILENCE' }), limitMs);
      this.#waiting = (reply) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(reply);
      };
    });
  }

  /** Late answers to questions that nobody waits for any more. */
  forget(): void {
    this.#unread = [];
  }
}

class TcpConversation implements Conversation {
  readonly #socket: Socket;
  readonly #replies = new Replies();
  #asked = false;

  constructor({ address, port, from }: Target) {
    this.#socket = connect({ host: address, port, noDelay: true, ...(from !== undefined && { localAddress: from }) });
    let partial = '';
    this.#socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${partial}${text}`.split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) this.#replies.push(JSON.parse(line) as Answer);
    });
    this.#socket.on('error', (error) => this.#replies.fail('code' in error ? String(error.code) : error.message));
    this.#socket.on('close', () => this.#replies.fail('CLOSED'));
  }

  ask(limitMs: number): Promise<Reply> {
    // The server speaks first.
    if (this.#asked) this.#socket.write('?\n');
    this.#asked = true;
    return this.#replies.next(limitMs);
  }

  /** With a reset, so that neither side's kernel keeps the connection's ports for a minute. */
  close(): void {
    this.#socket.resetAndDestroy();
  }
}

const RESEND_MS = 1000;

class UdpConversation implements Conversation {
  readonly #socket: UdpSocket;
  readonly #replies = new Replies();
  readonly #connected: Promise<boolean>;

  constructor({ address, port, from }: Target) {
    this.#socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    this.#socket.on('message', (text) => this.#replies.push(JSON.parse(text.toString()) as Answer));
    // Unlike a TCP connection's, a failure is that of one datagram only.
    this.#socket.on('error', (error) =>
      this.#replies.push({ code: 'code' in error ? String(error.code) : error.message }),
    );
    this.#connected = new Promise((resolve) => {
      this.#socket.once('connect', () => resolve(true));
      this.#socket.once('error', () => resolve(false));
    });
    this.#socket.bind({ port: 0, ...(from !== undefined && { address: from }) }, () =>
      this.#socket.connect(port, address),
    );
  }

  async ask(limitMs: number): Promise<Reply> {
    if (!(await this.#connected)) return this.#replies.next(limitMs);
    this.#replies.forget();
    // A failed send also shows as an error of the socket or as silence.
    const send = () => this.#socket.send('?', () => undefined);
    send();
    const again = setInterval(send, RESEND_MS);
    const reply = await this.#replies.next(limitMs);
    clearInterval(again);
    return reply;
  }

  close(): void {
    this.#socket.close();
  }
}
