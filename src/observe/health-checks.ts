import type { HttpReply, Route } from './http-server.ts';
import { text } from './http-server.ts';

/** One named part of a health page. */
export interface HealthCheck {
  /** In camelCase, without slashes: it is the end of a path. */
  name: string;
  /** Undefined when all is well, else why not. Must be quick. */
  problem(): string | undefined;
}

/** Always well: that the page is served at all says so. */
export const ping: HealthCheck = { name: 'ping', problem: () => undefined };

export interface HealthPageOptions {
  /** `healthz`, `livez` or `readyz`. */
  page: string;
  checks: readonly HealthCheck[];
  /** Whether whoever asks may read why a check failed. */
  showReasons: boolean;
}

/**
 * The page and one page below it for each check, in the words of Kubernetes' API server ("API health endpoints"): `ok`, or with
 * `?verbose` or a failure a line for each check; `?exclude=name` leaves one out. A failure is a 500.
 */
export function healthRoutes(options: HealthPageOptions): Record<string, Route> {
  const { page, checks } = options;
  return {
    [`/${page}`]: (_, url) => wholePage(options, url.searchParams),
    ...Object.fromEntries(checks.map((check) => [`/${page}/${check.name}`, () => onePage(options, check)])),
  };
}

function wholePage({ page, checks, showReasons }: HealthPageOptions, query: URLSearchParams): HttpReply {
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  let failed = false;
  for (const { name, problem } of checks) {
    if (excluded.delete(name)) {
      lines.push(`[+]${name} excluded: ok`);
      continue;
    }
    const found = problem();
    if (found !== undefined) failed = true;
    lines.push(found === undefined ? `[+]${name} ok` : `[-]${name} failed: ${showReasons ? found : 'reason withheld'}`);
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(',');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failed) return text(`${lines.join('\n')}\n${page} check failed\n`, 500);
  return text(query.has('verbose') ? `${lines.join('\n')}\n${page} check passed\n` : 'ok');
}

function onePage({ showReasons }: HealthPageOptions, { problem }: HealthCheck): HttpReply {
  const found = problem();
  return found === undefined
    ? text('ok')
    : text(`internal server error: ${showReasons ? found : 'reason withheld'}\n`, 500);
}
