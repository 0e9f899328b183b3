import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Answer } from './agent-protocol.ts';

/** Answers on TCP (one line at once, and one for each line that is sent) and on UDP, both at `port`, over IPv4 and IPv6. */
export async function serve(by: string, port: number): Promise<void> {
  const say = (source: string | undefined): string => {
    // A dual-stack socket shows IPv4 peers as mapped addresses.
    const answer: Answer = { by, source: source?.replace(/^::ffff:/, '') ?? '' };
    return `${JSON.stringify(answer)}\n`;
  };
  const server = createServer((socket) => {
    const line = say(socket.remoteAddress);
    // Those who ask end a connection by resetting it.
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(line));
    socket.write(line);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.on('message', (_, from) => socket.send(say(from.address), from.port, from.address));
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, resolve);
    });
    // An answer that cannot be delivered any more concerns nobody.
    socket.on('error', () => undefined);
  }
}
