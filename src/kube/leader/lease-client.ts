import type { KubeClient } from '../client.ts';
import { ApiError } from '../errors.ts';
import { resourcePath } from '../resource.ts';
import { isRecord } from '../values.ts';
import type { Lease, LeaseClient } from './lease.ts';

const LEASES = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };

/** The Lease `namespace/name` at the server behind `client`. */
export function leaseClient(client: KubeClient, namespace: string, name: string): LeaseClient {
  const one = resourcePath(LEASES, { namespace, name });
  const all = resourcePath(LEASES, { namespace });
  const body = (metadata: Lease['metadata'], spec: Lease['spec']) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec,
  });
  return {
    get: async (signal) => readLease(await client.request({ method: 'GET', path: one, signal }), one),
    create: async (spec, signal) =>
      readLease(
        await client.request({ method: 'POST', path: all, body: body({ name, namespace }, spec), signal }),
        all,
      ),
    // The whole metadata goes back, so that labels and annotations others put there survive.
    update: async (current, spec, signal) =>
      readLease(await client.request({ method: 'PUT', path: one, body: body(current.metadata, spec), signal }), one),
  };
}

function readLease(raw: unknown, path: string): Lease {
  const metadata = isRecord(raw) && isRecord(raw.metadata) ? raw.metadata : undefined;
  if (!isRecord(raw) || typeof metadata?.name !== 'string') {
    throw new ApiError({ code: 'BAD_RESPONSE', message: `${path}: the answer is not a Lease` });
  }
  const spec = isRecord(raw.spec) ? raw.spec : {};
  return { metadata: { ...metadata, name: metadata.name }, spec };
}
