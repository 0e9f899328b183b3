import { afterEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { ENDPOINT_SLICES } from '../../src/kube/projections.ts';
import { writesOf } from '../../src/kube/writes.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { bytes, envelope, int, message } from './support/protobuf.ts';
import { type Script, ScriptedServer, sendJson } from './support/scripted-server.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(script: Script) {
  const server = await ScriptedServer.start(script);
  cleanups.push(() => server.stop());
  const client = createKubeClient(server.access(), { userAgent: 'test', logger: silentLogger, retries: 0 });
  cleanups.push(() => client.close());
  return { server, writes: writesOf(client, ENDPOINT_SLICES) };
}

const slice: EndpointSlice = {
  metadata: { name: 'x', namespace: 'a b' },
  addressType: 'IPv4',
  endpoints: [],
  ports: [],
};
const stored = { name: 'x', uid: 'u', generation: 3 };
const BASE = '/apis/discovery.k8s.io/v1/namespaces/a%20b/endpointslices';

const answerProtobuf: Script = (_, response) => {
  response.setHeader('content-type', `${PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`);
  response.end(envelope('PartialObjectMetadata', message(1, bytes(1, 'x'), bytes(5, 'u'), int(7, 3))));
};
const answerJson: Script = (_, response) =>
  sendJson(response, 200, { kind: 'PartialObjectMetadata', metadata: { ...stored, managedFields: [] } });
const refuseProtobuf: Script = (request, response, index) => {
  if (request.headers['content-type'] !== PROTOBUF) return answerJson(request, response, index);
  return sendJson(response, 415, { kind: 'Status', code: 415, reason: 'UnsupportedMediaType' });
};

describe('writing without reading back', () => {
  it('sends protobuf, asks for metadata only, and tells what the server has made of it', async () => {
    const { server, writes } = await serve(answerProtobuf);
    expect(await writes.create(slice)).toEqual({ metadata: stored });
    expect(await writes.update(slice)).toEqual({ metadata: stored });
    expect(server.requests.map((r) => [r.method, r.path, r.headers['content-type']])).toEqual([
      ['POST', BASE, PROTOBUF],
      ['PUT', `${BASE}/x`, PROTOBUF],
    ]);
    expect(server.requests[0]?.body.startsWith('k8s\0')).toBe(true);
    expect(server.requests[0]?.headers.accept).toMatch(
      /^application\/vnd\.kubernetes\.protobuf;as=PartialObjectMetadata/,
    );
  });

  it('takes an answer in JSON as well', async () => {
    const { writes } = await serve(answerJson);
    expect(await writes.update(slice)).toEqual({ metadata: stored });
  });

  it('sends JSON, at once and from then on, to a server that refuses protobuf', async () => {
    const { server, writes } = await serve(refuseProtobuf);
    expect(await writes.create(slice)).toEqual({ metadata: stored });
    expect(await writes.create(slice)).toEqual({ metadata: stored });
    const types = server.requests.map((r) => r.headers['content-type']);
    expect(types).toEqual([PROTOBUF, 'application/json', 'application/json']);
    expect(JSON.parse(server.requests[1]?.body ?? '')).toMatchObject({ kind: 'EndpointSlice', addressType: 'IPv4' });
  });

  it('sends a slice with a field that only JSON holds as JSON, and the next as protobuf again', async () => {
    const { server, writes } = await serve(answerJson);
    await writes.update({ ...slice, newer: { field: true } } as EndpointSlice);
    await writes.update(slice);
    expect(server.requests.map((r) => r.headers['content-type'])).toEqual(['application/json', PROTOBUF]);
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({ newer: { field: true } });
  });

  it('reads the causes of a failure that is told in protobuf', async () => {
    const { writes } = await serve((_, response) => {
      response.writeHead(403, { 'content-type': PROTOBUF });
      const cause = message(4, bytes(1, 'NamespaceTerminating'), bytes(2, 'it goes'), bytes(3, 'metadata.namespace'));
      response.end(envelope('Status', bytes(3, 'no'), bytes(4, 'Forbidden'), message(5, cause), int(6, 403)));
    });
    const failure = await writes.create(slice).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'FORBIDDEN',
      status: {
        details: { causes: [{ reason: 'NamespaceTerminating', message: 'it goes', field: 'metadata.namespace' }] },
      },
    });
  });
});
