import type { LoggedRequest, RequestMatch } from './request-log.ts';
import { matchesRequest } from './request-log.ts';
import type { StatusDetails } from './status.ts';
import { modifiedMessage, StatusError } from './status.ts';

export type FailureCode = 403 | 404 | 409 | 410 | 429 | 500 | 503 | 504;

export interface FailOptions {
  /** Seconds for `Retry-After`; by default 1 with 429, none otherwise. */
  retryAfterSeconds?: number;
  /** Serve the request first and fail afterwards, as when an answer gets lost. */
  afterServing?: boolean;
}

/** What is to happen to one request. */
export interface Verdict {
  delayMs: number;
  held: Promise<void> | undefined;
  fail: StatusError | undefined;
  failAfterServing: StatusError | undefined;
  /** Cut the connection without an answer. */
  cut: boolean;
}

/** A request that waits inside the server until the test lets it go. */
export interface Hold {
  /** Resolves once the request has arrived. */
  arrived: Promise<LoggedRequest>;
  release(): void;
}

type Effect = (verdict: Verdict, request: LoggedRequest) => void;

interface Rule {
  match: RequestMatch;
  left: number;
  effect: Effect;
}

/** What the server's watches and store let a test do to them. */
export interface FaultTargets {
  dropWatches(plural: string | undefined): number;
  breakWatches(plural: string | undefined): number;
  compact(plural: string | undefined): void;
  revision(): number;
}

/** Deliberate misbehaviour for tests. Rules are used up in the order in which they were added. */
export class Faults {
  readonly #targets: FaultTargets;
  #rules: Rule[] = [];
  readonly #staleLists = new Map<string, number>();

  constructor(targets: FaultTargets) {
    this.#targets = targets;
  }

  /** The next `count` matching requests fail with this code. */
  failNext(count: number, match: RequestMatch, code: FailureCode, options: FailOptions = {}): void {
    this.#add(count, match, (verdict, request) => {
      const failure = failureOf(code, request, options);
      if (options.afterServing) verdict.failAfterServing = failure;
      else verdict.fail = failure;
    });
  }

  /** The next `count` matching requests wait this long before they are served. */
  delayNext(count: number, match: RequestMatch, milliseconds: number): void {
    this.#add(count, match, (verdict) => {
      verdict.delayMs += milliseconds;
    });
  }

  /** The next matching request waits until `release()`. */
  holdNext(match: RequestMatch): Hold {
    const gate = Promise.withResolvers<void>();
    const arrival = Promise.withResolvers<LoggedRequest>();
    this.#add(1, match, (verdict, request) => {
      arrival.resolve(request);
      verdict.held = gate.promise;
    });
    return { arrived: arrival.promise, release: () => gate.resolve() };
  }

  /** The next `count` matching requests lose their connection without an answer. */
  cutNext(count: number, match: RequestMatch): void {
    this.#add(count, match, (verdict) => {
      verdict.cut = true;
    });
  }

  /** Cuts the connections of all open watches of a kind (of all kinds when left out); returns how many. */
  dropWatches(plural?: string): number {
    return this.#targets.dropWatches(plural);
  }

  /** All open watches of a kind get only half of their next event; returns how many watches. */
  breakWatches(plural?: string): number {
    return this.#targets.breakWatches(plural);
  }

  /** The next list of a kind shows its state at an earlier revision, which it names as its resourceVersion. */
  staleListOnce(plural: string, revision: number): void {
    this.#staleLists.set(plural, revision);
  }

  /** Forgets the history of a kind (of all kinds): older resource versions and continue tokens answer 410. */
  compact(plural?: string): void {
    this.#targets.compact(plural);
  }

  /** The revision of the latest change. */
  get revision(): number {
    return this.#targets.revision();
  }

  /** Forgets all rules that are not used up. */
  clear(): void {
    this.#rules = [];
    this.#staleLists.clear();
  }

  /** For the server: what happens to this request. */
  judge(request: LoggedRequest): Verdict {
    const verdict: Verdict = { delayMs: 0, held: undefined, fail: undefined, failAfterServing: undefined, cut: false };
    for (const rule of this.#rules) {
      if (verdict.fail || verdict.failAfterServing || verdict.cut || verdict.held) break;
      if (rule.left <= 0 || !matchesRequest(rule.match, request)) continue;
      rule.left--;
      rule.effect(verdict, request);
    }
    this.#rules = this.#rules.filter((rule) => rule.left > 0);
    return verdict;
  }

  /** For the server: the revision at which a list is to be served, if a test asked for one. */
  takeStaleList(plural: string): number | undefined {
    const revision = this.#staleLists.get(plural);
    this.#staleLists.delete(plural);
    return revision;
  }

  #add(count: number, match: RequestMatch, effect: Effect): void {
    this.#rules.push({ match, left: count, effect });
  }
}

function failureOf(code: FailureCode, request: LoggedRequest, options: FailOptions): StatusError {
  const resource = request.group === '' ? request.plural : `${request.plural}.${request.group}`;
  const seconds = options.retryAfterSeconds ?? (code === 429 ? 1 : undefined);
  const details: StatusDetails = {
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(request.group === '' ? {} : { group: request.group }),
    kind: request.plural,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  };
  const error = (reason: string, message: string) => new StatusError(code, reason, message, details);
  const named = `${resource} "${request.name ?? ''}"`;
  switch (code) {
    case 403:
      return error('Forbidden', `${named} is forbidden: injected fault`);
    case 404:
      return error('NotFound', `${named} not found`);
    case 409:
      return error('Conflict', `Operation cannot be fulfilled on ${named}: ${modifiedMessage}`);
    case 410:
      return error('Expired', 'The resourceVersion for the provided watch is too old.');
    case 429:
      return error('TooManyRequests', 'too many requests, please try again later');
    case 500:
      return error('InternalError', 'Internal error occurred: injected fault');
    case 503:
      return error('ServiceUnavailable', 'the server is currently unable to handle the request');
    case 504:
      return error('Timeout', 'the server was unable to return a response in the time allotted');
  }
}
