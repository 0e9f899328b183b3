import type { Server } from 'node:net';
import type { Topology } from './topology.ts';

/**
 * A few machines joined by a network. A host is named `wire`, `client`, by its node's name, or `NAMESPACE/NAME` for a Pod.
 * Two implementations: network namespaces of a real kernel, and an in-memory twin that keeps the books only.
 */
export interface Hosts {
  readonly kind: 'namespaces' | 'memory';
  readonly topology: Topology;
  /** Whether addresses of the second family work; a kernel may lack IPv6. Known once the hosts have started. */
  readonly ipv6: boolean;
  /** A private directory, visible from inside and outside; removed with everything in it when the hosts go. */
  readonly runDir: string;
  /** Resolves when the hosts have gone without `stop()` having been called; never rejects. */
  readonly lost: Promise<HostsError>;

  /** Joins a new Pod host to its node. @throws HostsError when the name or an address is in use or the node unknown. */
  addPod(node: string, pod: PodAddresses): Promise<void>;
  /** Kills what still runs in the Pod, then removes it. Removing an unknown Pod does nothing. */
  removePod(pod: string): Promise<void>;

  /** Runs a command to its end. Resolves whatever its exit code; rejects when it cannot be started or takes too long. */
  exec(host: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Starts a process that stays until it exits, is killed, or its host goes. */
  spawn(host: string, argv: readonly string[], options?: SpawnOptions): Promise<HostProcess>;
  /** A TCP listener on the wire whose connections arrive in this process: how the nodes reach the API server. */
  listenOnWire(port: number): Promise<Server>;

  /** Kills every process and removes every host. Safe to call more than once. */
  stop(): Promise<void>;
}

export interface PodAddresses {
  /** `NAMESPACE/NAME`. */
  pod: string;
  ipv4: string;
  ipv6?: string;
}

export interface SpawnOptions {
  env?: Record<string, string>;
}

export interface ExecOptions extends SpawnOptions {
  /** Written to standard input. */
  input?: string;
  /** Milliseconds; 30 s when absent. The process is killed then and the call rejects. */
  timeoutMs?: number;
}

export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProcessExit {
  code: number | null;
  signal: string | null;
}

export interface HostProcess {
  /** Process id as seen inside. */
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  /** The last lines that it wrote, oldest first: for diagnostics. */
  readonly recentLines: readonly string[];
  /** Calls back for each line of either stream from now on. */
  onLine(listener: (line: string) => void): void;
  /** Resolves with the first line, past or future, that matches. @throws HostsError when the process ends before. */
  waitForLine(pattern: RegExp): Promise<string>;
  kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGHUP'): void;
}

export class HostsError extends Error {
  override readonly name = 'HostsError';
}
