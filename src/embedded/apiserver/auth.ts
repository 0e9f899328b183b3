import type { IncomingMessage } from 'node:http';

/** Tells who sends a request, by its bearer token. */
export class Authenticator {
  readonly #users: ReadonlyMap<string, string>;

  /** @param users token -> user name */
  constructor(users: ReadonlyMap<string, string>) {
    this.#users = users;
  }

  /** The user's name; undefined without a known token. */
  userOf(message: Pick<IncomingMessage, 'headers'>): string | undefined {
    const [scheme = '', token = ''] = (message.headers.authorization ?? '').trim().split(/\s+/);
    return scheme.toLowerCase() === 'bearer' ? this.#users.get(token) : undefined;
  }
}

/** What the real server shows to everybody (ClusterRole `system:public-info-viewer`). */
export function isPublicPath(path: string): boolean {
  return /^\/(?:version|healthz|livez|readyz)(?:\/|$)/.test(path);
}
