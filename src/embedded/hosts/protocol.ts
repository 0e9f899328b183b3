import type { NetStep } from './plan.ts';

/** What the process outside asks of the supervisor inside. Every request but `signal` is answered by its id. */
export type Request =
  | { id: number; op: 'network'; steps: NetStep[] }
  | {
      id: number;
      op: 'exec';
      host: string;
      argv: readonly string[];
      env: Record<string, string>;
      input: string;
      timeoutMs: number;
    }
  | { id: number; op: 'spawn'; host: string; argv: readonly string[]; env: Record<string, string> }
  | { id: number; op: 'listen'; address: string; port: number }
  /** Kills everything that was started in this host, and answers when it is gone. */
  | { id: number; op: 'killAll'; host: string };

export type Order = Request | { op: 'signal'; pid: number; signal: NodeJS.Signals };

export type Report =
  | { event: 'started' }
  | { event: 'answer'; id: number; value: unknown }
  | { event: 'failure'; id: number; message: string }
  | { event: 'output'; pid: number; text: string }
  | { event: 'exit'; pid: number; code: number | null; signal: string | null };
