import type { RequestOptions } from '../client.ts';

/**
 * For `KubeClientOptions.beforeSend`: lets a write pass only while this replica leads. Asked when the first byte is about to go out, so
 * that a process that slept while it waited for a connection, a token or its turn does not write on waking.
 */
export function writeGate(leads: () => boolean): (attempt: Pick<RequestOptions, 'method' | 'path'>) => void {
  return ({ method, path }) => {
    if (method === 'GET' || leads()) return;
    throw new DOMException(`${method} ${path} was not sent: this replica does not hold the lease`, 'AbortError');
  };
}
