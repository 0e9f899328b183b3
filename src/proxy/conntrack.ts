import type { IPFamily } from '../objects/meta.ts';
import { joinHostPort } from './addresses.ts';
import { type Exec, ExecError } from './exec.ts';
import type { ServicePortName } from './names.ts';
import type { ServicePortMap, ServicePortRecord } from './service-ports.ts';

/** The ends of one tracked UDP connection that decide whether it is stale. Addresses are canonical. */
export interface UdpFlow {
  /** Where the client sends to, before any translation. */
  readonly origDst: string;
  readonly origDstPort: number;
  /** Where answers come from: the endpoint that was chosen. */
  readonly replySrc: string;
  readonly replySrcPort: number;
}

/** Where a service port is reached, and the endpoints that may answer. */
export interface UdpTarget {
  readonly record: Pick<ServicePortRecord, 'clusterIP' | 'externalIPs' | 'loadBalancerVIPs' | 'port' | 'nodePort'>;
  /** `ip:port` of the endpoints that are serving, whatever policy or topology says. */
  readonly serving: ReadonlySet<string>;
}

/** Tells which flows have to go. */
export interface UdpFlowJudge {
  isStale(flow: UdpFlow): boolean;
}

/**
 * A UDP flow is pinned to the endpoint that its first packet met. It is stale when it goes to an address of a service port
 * and is answered by something that is not one of its serving endpoints; the next packet then chooses anew. That covers flows to
 * endpoints that are gone, flows from before the Service had endpoints, and Services without any (kubernetes/kubernetes#139628,
 * #141371: kube-proxy 1.36 keeps those).
 *
 * @param nodeAddresses canonical; a node port counts only on these. Absent: on any address, as in kube-proxy.
 */
export function judgeUdpFlows(
  targets: Iterable<UdpTarget>,
  family: IPFamily,
  nodeAddresses?: ReadonlySet<string>,
): UdpFlowJudge {
  const byAddress = new Map<string, ReadonlySet<string>>();
  const byNodePort = new Map<number, ReadonlySet<string>>();
  for (const { record, serving } of targets) {
    for (const ip of [record.clusterIP, ...record.externalIPs, ...record.loadBalancerVIPs]) {
      byAddress.set(joinHostPort(ip, record.port), serving);
    }
    if (record.nodePort !== 0) byNodePort.set(record.nodePort, serving);
  }
  return {
    isStale(flow) {
      const answeredBy = joinHostPort(flow.replySrc, flow.replySrcPort);
      const atAddress = byAddress.get(joinHostPort(flow.origDst, flow.origDstPort));
      if (atAddress && !atAddress.has(answeredBy)) return true;
      if (nodeAddresses && !nodeAddresses.has(flow.origDst) && !(family === 'IPv4' && flow.origDst.startsWith('127.')))
        return false;
      const atNodePort = byNodePort.get(flow.origDstPort);
      return atNodePort !== undefined && !atNodePort.has(answeredBy);
    },
  };
}

/** The UDP service ports in `before` that are gone, or reached elsewhere, in `after`: flows to their old addresses are stale. */
export function abandonedUdpTargets(before: ServicePortMap, after: ServicePortMap): UdpTarget[] {
  return udpRecords(before)
    .filter((record) => after.get(record.name) !== record)
    .map((record) => ({ record, serving: NONE }));
}

export function udpRecords(ports: ReadonlyMap<ServicePortName, ServicePortRecord>): ServicePortRecord[] {
  return [...ports.values()].filter((record) => record.protocol === 'UDP');
}

const NONE: ReadonlySet<string> = new Set();

/**
 * One line of `conntrack -L -p udp`: `udp 17 29 src=C dst=VIP sport=1 dport=53 [UNREPLIED] src=E dst=C sport=53 dport=1 ...`.
 * The first four say what the client sends, the next four what is expected back.
 * @returns undefined for a line that is no UDP flow
 */
export function parseUdpFlow(line: string): UdpFlow | undefined {
  if (!/(?:^|\s)udp\s/.test(line)) return undefined;
  const destinations = [...line.matchAll(/\bdst=(\S+)/g)];
  const sources = [...line.matchAll(/\bsrc=(\S+)/g)];
  const [origDst, replySrc] = [destinations[0]?.[1], sources[1]?.[1]];
  const origDstPort = /\bdport=(\d+)/.exec(line)?.[1];
  const replySrcPort = [...line.matchAll(/\bsport=(\d+)/g)][1]?.[1];
  if (!origDst || !replySrc || !origDstPort || !replySrcPort) return undefined;
  return { origDst, origDstPort: Number(origDstPort), replySrc, replySrcPort: Number(replySrcPort) };
}

/** The connection tracking table of one family. */
export interface Conntrack {
  /** Calls `onFlow` for each tracked UDP connection. @throws ConntrackError */
  listUdp(onFlow: (flow: UdpFlow) => void): Promise<void>;
  /** Deletes every flow with these ends. @returns how many there were. @throws ConntrackError */
  deleteUdp(flow: UdpFlow): Promise<number>;
}

export class ConntrackError extends Error {
  override readonly name = 'ConntrackError';
  /** The program is not installed. */
  readonly missing: boolean;

  constructor(message: string, options: { missing?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.missing = options.missing ?? false;
  }
}

/** Deletes stale flows, each distinct pair of ends once. @returns how many flows went. @throws ConntrackError */
export async function cleanUdpFlows(conntrack: Conntrack, judge: UdpFlowJudge): Promise<number> {
  const stale = new Map<string, UdpFlow>();
  await conntrack.listUdp((flow) => {
    if (judge.isStale(flow)) stale.set(Object.values(flow).join(' '), flow);
  });
  let deleted = 0;
  for (const flow of stale.values()) deleted += await conntrack.deleteUdp(flow);
  return deleted;
}

const TIMEOUT_MS = 60_000;

/** Through the program of conntrack-tools: netlink, which kube-proxy uses, is out of reach for Node. */
export class ConntrackProgram implements Conntrack {
  readonly #exec: Exec;
  readonly #family: readonly string[];

  constructor(exec: Exec, family: IPFamily) {
    this.#exec = exec;
    this.#family = ['-f', family === 'IPv4' ? 'ipv4' : 'ipv6', '-p', 'udp'];
  }

  async listUdp(onFlow: (flow: UdpFlow) => void): Promise<void> {
    let rest = '';
    await this.#run(['-L', ...this.#family], (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const flow = parseUdpFlow(line);
        if (flow) onFlow(flow);
      }
    });
  }

  async deleteUdp(flow: UdpFlow): Promise<number> {
    const ends = ['--orig-dst', flow.origDst, '--orig-port-dst', String(flow.origDstPort)];
    const answer = ['--reply-src', flow.replySrc, '--reply-port-src', String(flow.replySrcPort)];
    const stderr = await this.#run(['-D', ...this.#family, ...ends, ...answer], () => {});
    return Number(/(\d+) flow entries have been deleted/.exec(stderr)?.[1] ?? 0);
  }

  async #run(args: string[], onStdout: (chunk: string) => void): Promise<string> {
    try {
      const { exitCode, stderr } = await this.#exec({ command: 'conntrack', args, timeoutMs: TIMEOUT_MS, onStdout });
      // Status 1 with this message only says that none matched.
      if (exitCode !== 0 && !stderr.includes('0 flow entries have been')) {
        throw new ConntrackError(`conntrack ${args[0]} ended with status ${exitCode}: ${stderr.trim()}`);
      }
      return stderr;
    } catch (error) {
      if (!(error instanceof ExecError)) throw error;
      const missing = error.code === 'NOT_FOUND';
      const hint = missing ? '; on Debian and Ubuntu: apt-get install -y conntrack' : '';
      throw new ConntrackError(`${error.message}${hint}`, { missing, cause: error });
    }
  }
}
