import { Counter, Histogram, type Registry } from 'prom-client';

/** Seconds; client-go's. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** The `rest_client_*` families of Kubernetes' components 1.36, for one API server. */
export class RequestMetrics {
  readonly #host: string;
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #duration: Histogram<'verb' | 'host'>;
  readonly #limited: Histogram<'verb' | 'host'>;

  /** `server`: base URL. */
  constructor(registry: Registry, server: string) {
    this.#host = new URL(server).host;
    const registers = [registry];
    const labelNames = ['verb', 'host'] as const;
    this.#requests = new Counter({
      name: 'rest_client_requests_total',
      help: '[ALPHA] Number of HTTP requests, partitioned by status code, method, and host.',
      labelNames: ['code', 'method', 'host'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'rest_client_request_duration_seconds',
      help: '[ALPHA] Request latency in seconds. Broken down by verb, and host.',
      labelNames,
      buckets: BUCKETS,
      registers,
    });
    this.#limited = new Histogram({
      name: 'rest_client_rate_limiter_duration_seconds',
      help: '[ALPHA] Client side rate limiter latency in seconds. Broken down by verb, and host.',
      labelNames,
      buckets: BUCKETS,
      registers,
    });
  }

  /** One exchange is over. `code`: HTTP status, or a word when no response came, which client-go counts as `<error>`. */
  readonly attempt = ({ method, code, durationMs }: { method: string; code: string; durationMs: number }): void => {
    const host = this.#host;
    this.#requests.inc({ code: /^\d+$/.test(code) ? code : '<error>', method, host });
    this.#duration.observe({ verb: method, host }, durationMs / 1000);
  };

  /** A request waited for its turn. */
  readonly waited = (method: string, ms: number): void => {
    this.#limited.observe({ verb: method, host: this.#host }, ms / 1000);
  };
}
