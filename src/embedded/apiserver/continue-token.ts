import { isRecord } from './json.ts';
import { badRequest } from './status.ts';

/**
 * Where the next page of a list starts. Tokens have the real server's form, so that clients that look into them (they should
 * not) see the same: base64url of `{"v":"meta.k8s.io/v1","rv":N,"start":"/key\0"}`.
 */
export interface ContinueToken {
  /** The revision at which all pages are read; -1: whatever is there now ("inconsistent continuation"). */
  revision: number;
  /** The first key that the next page may hold. */
  start: string;
}

const version = 'meta.k8s.io/v1';

export function encodeContinue({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start: `/${start}` })).toString('base64url');
}

/** @throws StatusError 400 */
export function decodeContinue(token: string): ContinueToken {
  const value = readToken(token);
  if (!isRecord(value) || value.v !== version) throw invalidToken('server does not recognize this encoded version');
  const { rv, start } = value;
  if (typeof rv !== 'number' || rv === 0) {
    throw invalidToken(`incorrect encoded start resourceVersion (version ${version})`);
  }
  if (typeof start !== 'string' || start === '') throw invalidToken(`encoded start key empty (version ${version})`);
  const key = start.startsWith('/') ? start : `/${start}`;
  if (key.split('/').includes('..')) throw invalidToken(start);
  return { revision: rv, start: key.slice(1) };
}

function readToken(token: string): unknown {
  if (!/^[A-Za-z0-9_-]*$/.test(token)) throw invalidToken('illegal base64 data');
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw invalidToken('not the JSON that this server issues');
  }
}

function invalidToken(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}
