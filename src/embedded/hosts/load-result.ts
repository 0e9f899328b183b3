import { fileURLToPath } from 'node:url';
import { type Hosts, HostsError } from './hosts.ts';

export interface LoadResult {
  requests: number;
  /** Answers by the Pod that gave them. */
  pods: Record<string, number>;
  /** Answers by the client address that the Pod saw. */
  clients: Record<string, number>;
  /** Failures by error code: `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`, ... */
  errors: Record<string, number>;
  totalMs: number;
  slowestMs: number;
}

export interface LoadOptions {
  address: string;
  port: number;
  count: number;
  /** 16 when absent. */
  concurrency?: number;
  /** Milliseconds that one request may take; 5 s when absent. */
  timeoutMs?: number;
}

const LOAD_CLIENT = fileURLToPath(new URL('./load-client.ts', import.meta.url));

/** Runs the load client on a host. @throws HostsError when the client itself fails; failed requests are in the result. */
export async function runLoad(hosts: Hosts, from: string, options: LoadOptions): Promise<LoadResult> {
  const { address, port, count, concurrency = 16, timeoutMs = 5000 } = options;
  const numbers = [port, count, concurrency, timeoutMs].map(String);
  const argv = [process.execPath, LOAD_CLIENT, address, ...numbers];
  const run = await hosts.exec(from, argv, { timeoutMs: 10_000 + (count / concurrency) * timeoutMs });
  if (run.code !== 0) throw new HostsError(`the load client on ${from} failed: ${run.stderr.trim()}`);
  return JSON.parse(run.stdout) as LoadResult;
}
