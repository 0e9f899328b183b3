import { describe, expect, it } from 'vitest';
import { limitedClient } from '../../src/endpointslice/limited-client.ts';
import type { SliceClient } from '../../src/endpointslice/slice-client.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';

const slice = (name: string, service?: string): EndpointSlice => ({
  metadata: {
    namespace: 'shop',
    name,
    ...(service !== undefined && { labels: { 'kubernetes.io/service-name': service } }),
  },
  addressType: 'IPv4',
  endpoints: [],
  ports: [],
});

function recording() {
  const log: string[] = [];
  const client: SliceClient = {
    get: async (namespace, name) => {
      log.push(`get ${namespace}/${name}`);
      return slice(name);
    },
    create: async (given) => {
      log.push(`create ${given.metadata.name}`);
      return given;
    },
    update: async (given) => {
      log.push(`update ${given.metadata.name}`);
      return given;
    },
    delete: async (given) => {
      log.push(`delete ${given.metadata.name}`);
    },
  };
  return { log, client };
}

describe('a client whose writes take turns', () => {
  it('takes one for each write, on behalf of the Service, before it writes; none for a read', async () => {
    const { log, client } = recording();
    const take = async (key: string) => {
      log.push(`turn of ${key}`);
      return 5;
    };
    const limited = limitedClient(client, { take }, (method, ms) => log.push(`${method} waited ${ms}`));
    await limited.get('shop', 'a');
    await limited.create(slice('a', 'web'));
    await limited.update(slice('b', 'db'));
    await limited.delete(slice('c'));
    expect(log).toEqual([
      'get shop/a',
      'turn of shop/web',
      'POST waited 5',
      'create a',
      'turn of shop/db',
      'PUT waited 5',
      'update b',
      'turn of shop/c',
      'DELETE waited 5',
      'delete c',
    ]);
  });

  it('does not write when the turn is refused', async () => {
    const { log, client } = recording();
    const refusal = new Error('shutting down');
    const limited = limitedClient(client, { take: () => Promise.reject(refusal) });
    await expect(limited.update(slice('a', 'web'))).rejects.toBe(refusal);
    expect(log).toEqual([]);
  });
});
