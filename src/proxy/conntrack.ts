import type { IPFamily } from '../objects/meta.ts';
import { joinHostPort } from './addresses.ts';
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

export type UdpDestination = Pick<UdpFlow, 'origDst' | 'origDstPort'>;

/** Where a service port is reached, and the endpoints that may answer. */
export interface UdpTarget {
  readonly record: Pick<ServicePortRecord, 'clusterIP' | 'externalIPs' | 'loadBalancerVIPs' | 'port' | 'nodePort'>;
  /** `ip:port` of the endpoints that are serving, whatever policy or topology says. */
  readonly serving: ReadonlySet<string>;
}

/** Tells which flows have to go. */
export interface UdpFlowJudge {
  isStale(flow: UdpFlow): boolean;
  /** Whether every flow to there is stale, whatever answers: the Service has no serving endpoint, or is gone. */
  isForsaken(destination: UdpDestination): boolean;
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
  const isNodeAddress = (ip: string) =>
    !nodeAddresses || nodeAddresses.has(ip) || (family === 'IPv4' && ip.startsWith('127.'));
  /** The endpoints that may answer a flow to there, once for each service port that is reached so. */
  const allowed = ({ origDst, origDstPort }: UdpDestination) =>
    [
      byAddress.get(joinHostPort(origDst, origDstPort)),
      isNodeAddress(origDst) ? byNodePort.get(origDstPort) : undefined,
    ].filter((endpoints) => endpoints !== undefined);
  return {
    isStale(flow) {
      const answeredBy = joinHostPort(flow.replySrc, flow.replySrcPort);
      return allowed(flow).some((endpoints) => !endpoints.has(answeredBy));
    },
    isForsaken: (destination) => allowed(destination).some((endpoints) => endpoints.size === 0),
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

/** Flows to delete: all to one destination, or those of them that one end answers. */
export type UdpMatch = UdpDestination &
  (Pick<UdpFlow, 'replySrc' | 'replySrcPort'> | { readonly replySrc?: undefined });

/** The connection tracking table of one family. */
export interface Conntrack {
  /** Calls `onFlow` for each tracked UDP connection. @throws ConntrackError */
  listUdp(onFlow: (flow: UdpFlow) => void): Promise<void>;
  /** Deletes every flow that one of these describes, until `signal` aborts. @returns how many went. @throws ConntrackError */
  deleteUdp(matches: readonly UdpMatch[], signal?: AbortSignal): Promise<number>;
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

/**
 * Deletes stale flows: one deletion for each distinct pair of ends, and one alone for a destination at which all are stale, so that
 * a Service that goes with a thousand endpoints costs one walk through the kernel's table. @returns how many flows went.
 * @throws ConntrackError
 */
export async function cleanUdpFlows(conntrack: Conntrack, judge: UdpFlowJudge, signal?: AbortSignal): Promise<number> {
  const stale = new Map<string, UdpMatch>();
  await conntrack.listUdp((flow) => {
    if (!judge.isStale(flow)) return;
    const { origDst, origDstPort } = flow;
    const match: UdpMatch = judge.isForsaken(flow) ? { origDst, origDstPort } : flow;
    stale.set(Object.values(match).join(' '), match);
  });
  return stale.size === 0 ? 0 : conntrack.deleteUdp([...stale.values()], signal);
}
