import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { benchPod } from './pods.ts';

/**
 * Serves prepared Pods as fast as it can, as a list in pages and as a watch-list, so that a benchmark measures the client alone. Run with
 * the number of Pods; sends its port to the parent.
 */
const count = Number(process.argv[2]);
const items = Array.from({ length: count }, (_, index) => Buffer.from(JSON.stringify(benchPod(index))));
const head = Buffer.from('{"type":"ADDED","object":');
const tail = Buffer.from('}\n');
const comma = Buffer.from(',');

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://unused');
  response.writeHead(200, { 'content-type': 'application/json' });
  if (url.searchParams.get('sendInitialEvents') === 'true') void sendWatchList(response);
  else if (url.searchParams.get('watch') === 'true') response.flushHeaders();
  else
    sendPage(response, Number(url.searchParams.get('continue') ?? 0), Number(url.searchParams.get('limit') ?? count));
});

async function sendWatchList(response: ServerResponse): Promise<void> {
  for (const item of items) {
    if (!response.write(Buffer.concat([head, item, tail])))
      await new Promise((resolve) => response.once('drain', resolve));
  }
  const metadata = { resourceVersion: '999999', annotations: { 'k8s.io/initial-events-end': 'true' } };
  response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Pod', metadata } })}\n`);
}

function sendPage(response: ServerResponse, from: number, limit: number): void {
  const to = Math.min(count, from + limit);
  const metadata = { resourceVersion: '999999', ...(to < count && { continue: String(to) }) };
  const parts: Buffer[] = [
    Buffer.from(`{"kind":"PodList","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[`),
  ];
  for (let i = from; i < to; i++) {
    if (i > from) parts.push(comma);
    parts.push(items[i] ?? Buffer.alloc(0));
  }
  parts.push(Buffer.from(']}'));
  response.end(Buffer.concat(parts));
}

server.listen(0, '127.0.0.1', () => {
  const bytes = items.reduce((sum, item) => sum + item.length, 0);
  process.send?.({ port: (server.address() as AddressInfo).port, bytes });
});
process.on('disconnect', () => process.exit(0));
