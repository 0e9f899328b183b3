import { settledLeftovers, tracesOf } from '../../hosts/traces.ts';
import { check } from '../check.ts';
import type { Narrator } from '../narrator.ts';
import type { World } from '../world.ts';

/** The last station: ends everything, then looks whether anything is left. */
export async function leave(world: World, out: Narrator): Promise<void> {
  out.say('All of it ran below one process in namespaces of its own: when that ends, the kernel takes back the rest.');
  const traces = tracesOf(world.hosts.pid, world.hosts.runDir);
  check(traces.processes.size > 0, 'found no process of the demo to begin with');
  await out.during('everything is stopped', world.stop());
  const left = await settledLeftovers(traces);
  check(left.length === 0, `left behind: ${left.join('; ')}`);
  out.holds('no namespace, process, rule or file is left');
}
