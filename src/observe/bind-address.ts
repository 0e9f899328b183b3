import ipaddr from 'ipaddr.js';
import { UserError } from '../user-error.ts';

export interface BindAddress {
  /** Without brackets. */
  host: string;
  /** 0 lets the kernel choose. */
  port: number;
}

/**
 * Reads `IP`, `IP:port`, `[IPv6]:port` or `IPv6`, as kube-proxy's `*BindAddress` fields are written.
 * @throws UserError naming `field` and the value.
 */
export function parseBindAddress(field: string, value: string, defaultPort: number): BindAddress {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(value);
  const plain = /^([^:]+)(?::(\d+))?$/.exec(value);
  const [, host, port] = bracketed ?? plain ?? [undefined, value, undefined];
  if (host === undefined || !ipaddr.isValid(host) || (plain && !ipaddr.IPv4.isValidFourPartDecimal(host))) {
    throw new UserError(`${field}: "${value}" is not an IP address with an optional port, such as 0.0.0.0:10256`);
  }
  const number = port === undefined ? defaultPort : Number(port);
  if (number > 65535) throw new UserError(`${field}: port ${port} in "${value}" is not between 0 and 65535`);
  return { host, port: number };
}

/** True when only this machine can connect. */
export function isLoopback(address: BindAddress): boolean {
  return ipaddr.parse(address.host).range() === 'loopback';
}

export function formatAddress({ host, port }: BindAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
