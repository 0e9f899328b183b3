/** One request to a resource, as tests look at it. */
export interface LoggedRequest {
  verb: string;
  group: string;
  plural: string;
  subresource: string | undefined;
  namespace: string | undefined;
  name: string | undefined;
  user: string;
  userAgent: string;
  dryRun: boolean;
  /** HTTP status; undefined while the request is being served. */
  status: number | undefined;
}

/** Which requests are meant; a member left out matches all. */
export interface RequestMatch {
  verb?: string | readonly string[];
  group?: string;
  plural?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  /** Matches when the user agent contains it. */
  userAgent?: string;
}

export const writeVerbs = ['create', 'update', 'patch', 'delete', 'deletecollection'] as const;

export function matchesRequest(match: RequestMatch, request: LoggedRequest): boolean {
  const { verb, userAgent, ...exact } = match;
  if (verb !== undefined && !(typeof verb === 'string' ? [verb] : verb).includes(request.verb)) return false;
  if (userAgent !== undefined && !request.userAgent.includes(userAgent)) return false;
  const plain: Record<string, unknown> = { ...request };
  return Object.entries(exact).every(([field, value]) => value === undefined || plain[field] === value);
}

/** The requests to resources since the start or the last `clear()`, in the order of their arrival. */
export class RequestLog {
  readonly #capacity: number;
  #entries: LoggedRequest[] = [];

  constructor(capacity = 200_000) {
    this.#capacity = capacity;
  }

  add(entry: LoggedRequest): void {
    if (this.#entries.length >= this.#capacity) this.#entries = this.#entries.slice(this.#capacity / 2);
    this.#entries.push(entry);
  }

  matching(match: RequestMatch = {}): LoggedRequest[] {
    return this.#entries.filter((entry) => matchesRequest(match, entry));
  }

  count(match: RequestMatch = {}): number {
    return this.matching(match).length;
  }

  /** All requests that may have changed something. */
  writes(match: Omit<RequestMatch, 'verb'> = {}): LoggedRequest[] {
    return this.matching({ ...match, verb: writeVerbs });
  }

  clear(): void {
    this.#entries = [];
  }
}
