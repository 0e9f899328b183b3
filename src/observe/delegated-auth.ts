import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { HttpReply } from './http-server.ts';
import { text } from './http-server.ts';

/** Who asks, as the API server's TokenReview tells (authentication.k8s.io/v1 UserInfo). */
export interface UserInfo {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/** The two questions to the API server. Both reject when it cannot be asked. */
export interface Reviews {
  /** Undefined when the token is nobody's. */
  authenticate(token: string): Promise<UserInfo | undefined>;
  /** Whether the user may use `verb` on a path of ours. */
  authorize(user: UserInfo, verb: string, path: string): Promise<boolean>;
}

export interface DelegatedAuthOptions {
  reviews: Reviews;
  /** Paths that everybody may see; `/metrics/*` stands for all below. `--authorization-always-allow-paths` */
  alwaysAllow: readonly string[];
  clock: Clock;
  /** Told why the API server could not be asked. */
  onError: (error: unknown) => void;
}

/** How long an answer is believed: kube-controller-manager's defaults of `--authentication-token-webhook-cache-ttl` and the like. */
const TTL_MS = 10_000;
const MAX_REMEMBERED = 1000;
const ANONYMOUS: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Asks the API server who asks us and whether they may. Resolves with a refusal, or undefined to let the request pass. */
export class DelegatedAuth {
  readonly #options: DelegatedAuthOptions;
  readonly #users: Memo<UserInfo | undefined>;
  readonly #decisions: Memo<boolean>;

  constructor(options: DelegatedAuthOptions) {
    this.#options = options;
    this.#users = new Memo(options.clock);
    this.#decisions = new Memo(options.clock);
  }

  async check(request: IncomingMessage, path: string): Promise<HttpReply | undefined> {
    if (this.#options.alwaysAllow.some((pattern) => covers(pattern, path))) return undefined;
    try {
      const user = await this.#userOf(request);
      if (!user) return text('Unauthorized\n', 401);
      const verb = (request.method ?? 'GET').toLowerCase();
      if (await this.#mayUse(user, verb, path)) return undefined;
      return text(
        `Forbidden: user ${JSON.stringify(user.username)} cannot ${verb} path ${JSON.stringify(path)}\n`,
        403,
      );
    } catch (error) {
      this.#options.onError(error);
      return text('the API server cannot be asked who you are and what you may see\n', 503);
    }
  }

  #userOf(request: IncomingMessage): Promise<UserInfo | undefined> {
    const { authorization } = request.headers;
    if (authorization === undefined) return Promise.resolve(ANONYMOUS);
    const token = /^bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    if (token === undefined) return Promise.resolve(undefined);
    // Tokens themselves are not kept.
    const key = createHash('sha256').update(token).digest('base64');
    return this.#users.get(key, () => this.#options.reviews.authenticate(token));
  }

  #mayUse(user: UserInfo, verb: string, path: string): Promise<boolean> {
    return this.#decisions.get(JSON.stringify([user, verb, path]), () =>
      this.#options.reviews.authorize(user, verb, path),
    );
  }
}

function covers(pattern: string, path: string): boolean {
  const own = pattern.startsWith('/') ? pattern : `/${pattern}`;
  return own.endsWith('*') ? path.startsWith(own.slice(0, -1)) : own === path;
}

/** Remembers answers for a while; who asks the same meanwhile shares the question, and a failure is nobody's answer. */
class Memo<T> {
  readonly #clock: Clock;
  readonly #known = new LRUCache<string, { answer: Promise<T>; at: number }>({ max: MAX_REMEMBERED });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.monotonic();
    const known = this.#known.get(key);
    if (known && now - known.at < TTL_MS) return known.answer;
    const answer = ask();
    this.#known.set(key, { answer, at: now });
    answer.catch(() => this.#known.delete(key));
    return answer;
  }
}
