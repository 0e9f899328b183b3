import { type BindAddress, parseBindAddress } from '../../observe/bind-address.ts';
import { joinHostPort, parseAddress } from '../addresses.ts';

/** Splits `host:port` or `[host]:port`; neither part is checked. `undefined` for anything else. */
export function splitHostPort(text: string): { host: string; port: string } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text) ?? [];
  return port === undefined ? undefined : { host: bracketed ?? plain ?? '', port };
}

/** `1.2.3.4` becomes `1.2.3.4:10256`; what has a port, or is no address at all, stays as it is. */
export function appendPortIfNeeded(text: string, port: number): string {
  return splitHostPort(text) || !parseAddress(text) ? text : joinHostPort(text, port);
}

/** A validated `*BindAddress` field as something to listen on. @throws UserError naming `field` and the value. */
export function listenAddress(field: string, text: string): BindAddress {
  const parts = splitHostPort(text);
  const ip = parts && parseAddress(parts.host)?.ip;
  return parseBindAddress(field, ip ? joinHostPort(ip, Number(parts.port)) : text, 0);
}
