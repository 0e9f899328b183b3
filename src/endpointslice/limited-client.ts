import type { EndpointSlice } from '../objects/endpointslice.ts';
import { objectKey } from '../objects/meta.ts';
import type { SliceClient } from './slice-client.ts';
import { serviceOfSlice } from './triggers.ts';

/** Hands out turns to write. */
export interface Turns {
  /** Resolves when it is `key`'s turn, with the milliseconds it had to wait. */
  take(key: string): Promise<number>;
}

/** `client` with a turn taken before each write, on behalf of the Service that the slice belongs to. Reads need none. */
export function limitedClient(
  client: SliceClient,
  turns: Turns,
  onWait: (method: 'POST' | 'PUT' | 'DELETE', ms: number) => void = () => undefined,
): SliceClient {
  const turn = async (method: 'POST' | 'PUT' | 'DELETE', slice: EndpointSlice) => {
    onWait(method, await turns.take(serviceOfSlice(slice) ?? objectKey(slice.metadata)));
  };
  return {
    get: (namespace, name) => client.get(namespace, name),
    async create(slice) {
      await turn('POST', slice);
      return client.create(slice);
    },
    async update(slice) {
      await turn('PUT', slice);
      return client.update(slice);
    },
    async delete(slice) {
      await turn('DELETE', slice);
      await client.delete(slice);
    },
  };
}
