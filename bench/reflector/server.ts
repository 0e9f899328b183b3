import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bytes, envelope, frame, map, message } from '../../test/kube/support/protobuf.ts';
import { benchPod } from './pods.ts';
import { encodePod } from './pods-protobuf.ts';

/**
 * Serves prepared Pods as fast as it can, as a list in pages and as a watch-list, in JSON and in protobuf, so that a benchmark measures the
 * client alone. Run with the number of Pods; sends its port to the parent.
 */
const count = Number(process.argv[2]);
const VERSION = '999999';
const END_OF_INITIAL = 'k8s.io/initial-events-end';

interface Encoding {
  mediaType: string;
  items: Buffer[];
  event(item: Buffer): Buffer;
  endOfInitial(): Buffer;
  page(items: Buffer[], continueToken: string): Buffer[];
}

const pods = Array.from({ length: count }, (_, index) => benchPod(index));

const json: Encoding = {
  mediaType: 'application/json',
  items: pods.map((pod) => Buffer.from(JSON.stringify(pod))),
  event: (item) => Buffer.concat([Buffer.from('{"type":"ADDED","object":'), item, Buffer.from('}\n')]),
  endOfInitial: () => {
    const metadata = { resourceVersion: VERSION, annotations: { [END_OF_INITIAL]: 'true' } };
    return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
  },
  page: (items, token) => {
    const metadata = JSON.stringify({ resourceVersion: VERSION, continue: token });
    const parts: Buffer[] = [Buffer.from(`{"kind":"PodList","apiVersion":"v1","metadata":${metadata},"items":[`)];
    for (const [index, item] of items.entries()) parts.push(Buffer.from(index > 0 ? ',' : ''), item);
    return [...parts, Buffer.from(']}')];
  },
};

const protobuf: Encoding = {
  mediaType: 'application/vnd.kubernetes.protobuf',
  items: pods.map(encodePod),
  event: (item) => frame('ADDED', envelope('Pod', item)),
  endOfInitial: () =>
    frame('BOOKMARK', envelope('Pod', message(1, bytes(6, VERSION), map(12, { [END_OF_INITIAL]: 'true' })))),
  page: (items, token) => [
    envelope('PodList', message(1, bytes(2, VERSION), bytes(3, token)), ...items.map((item) => bytes(2, item))),
  ],
};

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://unused');
  const encoding = request.headers.accept?.startsWith(protobuf.mediaType) ? protobuf : json;
  response.writeHead(200, { 'content-type': encoding.mediaType });
  if (searchParams.get('sendInitialEvents') === 'true') void sendWatchList(response, encoding);
  else if (searchParams.get('watch') === 'true') response.flushHeaders();
  else
    sendPage(response, encoding, Number(searchParams.get('continue') || 0), Number(searchParams.get('limit') ?? count));
});

async function sendWatchList(response: ServerResponse, encoding: Encoding): Promise<void> {
  for (const item of encoding.items) {
    if (!response.write(encoding.event(item))) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.write(encoding.endOfInitial());
}

function sendPage(response: ServerResponse, encoding: Encoding, from: number, limit: number): void {
  const to = Math.min(count, from + limit);
  response.end(Buffer.concat(encoding.page(encoding.items.slice(from, to), to < count ? String(to) : '')));
}

server.listen(0, '127.0.0.1', () => {
  const size = (items: Buffer[]) => items.reduce((sum, item) => sum + item.length, 0);
  process.send?.({
    port: (server.address() as AddressInfo).port,
    jsonBytes: size(json.items),
    protobufBytes: size(protobuf.items),
  });
});
process.on('disconnect', () => process.exit(0));
