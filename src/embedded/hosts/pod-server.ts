/**
 * What runs in a Pod: an HTTP server (TCP ports) and a UDP responder that say which Pod answered, where it runs, and whom it
 * saw asking. Environment: POD_NAME, NODE_NAME, PORTS (`80/TCP,53/UDP`).
 */
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:http';

const { POD_NAME: pod = 'unknown', NODE_NAME: node = 'unknown', PORTS: ports = '80/TCP' } = process.env;

/** One JSON object and a newline: easy on curl and on programs. */
function say(client: string | undefined, port: number): string {
  // A dual-stack socket shows IPv4 clients as mapped addresses.
  return `${JSON.stringify({ pod, node, client: client?.replace(/^::ffff:/, ''), port })}\n`;
}

function serveTcp(port: number): Promise<Server> {
  const server = createServer({ keepAlive: true }, (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(say(request.socket.remoteAddress, port));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}

function serveUdp(port: number, type: 'udp4' | 'udp6'): Promise<void> {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  socket.on('message', (_, from) => socket.send(say(from.address, port), from.port, from.address));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, resolve);
  });
}

const servers: Server[] = [];
process.on('SIGTERM', () => {
  // Ends what has been asked, takes nothing new: what an endpoint that is "terminating but serving" does.
  for (const server of servers) {
    server.close();
    server.closeIdleConnections();
  }
  process.exit(0);
});

try {
  for (const entry of ports.split(',').filter(Boolean)) {
    const [number, protocol] = entry.split('/');
    const port = Number(number);
    if (protocol === 'UDP') await serveUdp(port, 'udp4');
    else servers.push(await serveTcp(port));
  }
  process.stdout.write(`listening on ${ports || 'no ports'}\n`);
  if (servers.length === 0) setInterval(() => undefined, 1 << 30);
} catch (error) {
  process.stderr.write(`${pod}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
