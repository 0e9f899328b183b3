import { isRejected, serviceView } from './rules-view.ts';
import { SERVICE_KEY, TARGET_PORT } from './service.ts';
import { until } from './until.ts';
import type { ClusterView } from './view.ts';
import type { World } from './world.ts';

/** Waits until every node's rules choose among exactly these Pod addresses. */
export async function rulesFor(view: ClusterView, ips: readonly string[]): Promise<void> {
  const wanted = ips.map((ip) => `${ip}:${TARGET_PORT}`).sort();
  await Promise.all(
    view.topology.nodes.map(({ name }) =>
      until({ what: `rules for ${wanted.length} endpoints on ${name}`, signal: view.signal }, async () => {
        const save = await view.rules(name);
        if (wanted.length === 0) return isRejected(save, SERVICE_KEY) || undefined;
        const { targets } = serviceView(save, SERVICE_KEY);
        return targets.sort().join() === wanted.join() || undefined;
      }),
    ),
  );
}

/** How the rules of one node look is read every so many milliseconds: the resolution of the measured times. */
const POLL_MS = 5;

/**
 * Waits until `address` is, or is no longer, a target of the Service's chain in a node's kernel; the `performance.now()` of
 * the look that saw it. Reads one chain only, because a look must be quick.
 */
export async function kernelHas(
  world: World,
  node: string,
  chain: string,
  ip: string,
  wanted: boolean,
): Promise<number> {
  const comment = `${SERVICE_KEY} -> ${ip}:${TARGET_PORT}`;
  return until(
    { what: `${ip} ${wanted ? 'in' : 'out of'} the rules of ${node}`, everyMs: POLL_MS, signal: world.signal },
    async () => {
      const { stdout } = await world.hosts.exec(node, ['iptables', '-t', 'nat', '-S', chain]);
      return stdout.includes(comment) === wanted ? performance.now() : undefined;
    },
  );
}
