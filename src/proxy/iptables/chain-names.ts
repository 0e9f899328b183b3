import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Protocol } from '../../objects/meta.ts';

/** The chains that belong to one service port; nothing else may be deleted from a node. */
export type ServiceChainPrefix = 'KUBE-SVC-' | 'KUBE-SVL-' | 'KUBE-EXT-' | 'KUBE-FW-' | 'KUBE-SEP-';

const SERVICE_CHAIN = /^KUBE-(SVC|SVL|EXT|FW|SEP)-/;

/** Chain names are at most 28 characters long (XT_EXTENSION_MAXNAMELEN): the longest prefix is 9 and the hash is 16. */
const HASH_LENGTH = 16;
const HASH_BYTES = (HASH_LENGTH * 5) / 8;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const hashes = new LRUCache<string, string>({ max: 4096 });

export interface ServiceChainNames {
  /** Traffic with policy Cluster. */
  readonly clusterPolicy: string;
  /** Traffic with policy Local. */
  readonly localPolicy: string;
  readonly external: string;
  readonly firewall: string;
}

/** @param display `ns/name:port` or `ns/name` */
export function serviceChainNames(display: string, protocol: Protocol): ServiceChainNames {
  const suffix = hashOf(display + protocol.toLowerCase());
  return {
    clusterPolicy: `KUBE-SVC-${suffix}`,
    localPolicy: `KUBE-SVL-${suffix}`,
    external: `KUBE-EXT-${suffix}`,
    firewall: `KUBE-FW-${suffix}`,
  };
}

/** Two Services that share a pod have different chains for it. @param address `ip:port` or `[ip]:port` */
export function endpointChainName(display: string, protocol: Protocol, address: string): string {
  return `KUBE-SEP-${hashOf(display + protocol.toLowerCase() + address)}`;
}

/** Whether a chain of the nat table is one that this proxier (or kube-proxy) makes for a service port. */
export function isServiceChain(chain: string): boolean {
  return SERVICE_CHAIN.test(chain);
}

/** The first 16 characters of the base32 (RFC 4648) of the SHA-256. */
function hashOf(text: string): string {
  let name = hashes.get(text);
  if (name === undefined) {
    name = base32(hash('sha256', text, 'buffer').subarray(0, HASH_BYTES));
    hashes.set(text, name);
  }
  return name;
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31];
    held &= 0xff;
  }
  return text;
}
