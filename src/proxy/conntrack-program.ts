import type { IPFamily } from '../objects/meta.ts';
import { type Conntrack, ConntrackError, parseUdpFlow, type UdpFlow, type UdpMatch } from './conntrack.ts';
import { type Exec, ExecError, type ExecRequest, type ExecResult, lineSplitter } from './exec.ts';

const TIMEOUT_MS = 60_000;

/** Deletions for one process. Each walks the kernel's whole table (9 ms at 262,144 buckets), so that this many take about a second. */
const BATCH = 100;

/** Through the program of conntrack-tools: netlink, which kube-proxy uses, is out of reach for Node. */
export class ConntrackProgram implements Conntrack {
  readonly #exec: Exec;
  readonly #family: readonly string[];
  /** Whether this release reads commands from its standard input (1.4.7, 2022), and can be given such; assumed until it has failed. */
  #batches = true;

  constructor(exec: Exec, family: IPFamily) {
    this.#exec = exec;
    this.#family = ['-f', family === 'IPv4' ? 'ipv4' : 'ipv6', '-p', 'udp'];
  }

  async listUdp(onFlow: (flow: UdpFlow) => void): Promise<void> {
    await this.#run(['-L', ...this.#family], (line) => {
      const flow = parseUdpFlow(line);
      if (flow) onFlow(flow);
    });
  }

  async deleteUdp(matches: readonly UdpMatch[], signal?: AbortSignal): Promise<number> {
    let deleted = 0;
    for (let i = 0; i < matches.length && !signal?.aborted; i += BATCH) {
      deleted += await this.#delete(matches.slice(i, i + BATCH).map((match) => this.#deletion(match)));
    }
    return deleted;
  }

  async #delete(commands: string[][]): Promise<number> {
    if (this.#batches && commands.length > 1) {
      const deleted = await this.#deleteTogether(commands);
      if (deleted !== undefined) return deleted;
      this.#batches = false;
    }
    let deleted = 0;
    for (const args of commands) {
      await this.#run(args, (line) => {
        if (parseUdpFlow(line)) deleted++;
      });
    }
    return deleted;
  }

  /** One process for all; undefined when that cannot be done here. Its first failure ends it, which doing them one by one makes up for. */
  async #deleteTogether(commands: string[][]): Promise<number | undefined> {
    let deleted = 0;
    const lines = lineSplitter((line) => {
      if (parseUdpFlow(line)) deleted++;
    });
    const stdin = commands.map((args) => `${args.join(' ')}\n`);
    try {
      const { exitCode } = await this.#start({ args: ['-R', '-'], stdin, stdinFile: true, onStdout: lines.push });
      lines.end();
      return exitCode === 0 ? deleted : undefined;
    } catch (error) {
      if (error instanceof ConntrackError && error.cause instanceof ExecError && error.cause.code === 'NO_FILE')
        return undefined;
      throw error;
    }
  }

  #deletion(match: UdpMatch): string[] {
    const to = ['--orig-dst', match.origDst, '--orig-port-dst', String(match.origDstPort)];
    if (match.replySrc === undefined) return ['-D', ...this.#family, ...to];
    return [
      '-D',
      ...this.#family,
      ...to,
      '--reply-src',
      match.replySrc,
      '--reply-port-src',
      String(match.replySrcPort),
    ];
  }

  async #run(args: string[], onLine: (line: string) => void): Promise<void> {
    const lines = lineSplitter(onLine);
    const { exitCode, stderr } = await this.#start({ args, onStdout: lines.push });
    lines.end();
    // Status 1 with this message only says that none matched.
    if (exitCode !== 0 && !stderr.includes('0 flow entries have been')) {
      throw new ConntrackError(`conntrack ${args[0]} ended with status ${exitCode}: ${stderr.trim()}`);
    }
  }

  async #start(request: Omit<ExecRequest, 'command' | 'timeoutMs'>): Promise<ExecResult> {
    try {
      return await this.#exec({ command: 'conntrack', timeoutMs: TIMEOUT_MS, ...request });
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      const missing = error.code === 'NOT_FOUND';
      const hint = missing ? '; on Debian and Ubuntu: apt-get install -y conntrack' : '';
      throw new ConntrackError(`${error.message}${hint}`, { missing, cause: error });
    }
  }
}
