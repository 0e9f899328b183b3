import type { Ability } from '../hosts/prerequisites.ts';
import { outerPid } from '../hosts/traces.ts';
import type { Narrator } from './narrator.ts';
import type { Step } from './step.ts';
import { appear } from './steps/appear.ts';
import { change } from './steps/change.ts';
import { leave } from './steps/leave.ts';
import { outside } from './steps/outside.ts';
import { share } from './steps/share.ts';
import { aborted, untilAborted } from './until.ts';
import { startWorld, type World } from './world.ts';

export interface WalkOptions {
  ability: Ability;
  out: Narrator;
  /** Aborted when the person at the terminal wants to leave. */
  signal: AbortSignal;
  /** Stay after the last station until `signal`. */
  keep: boolean;
}

const STEPS: readonly Step<World>[] = [appear, share, change, outside];

/** The whole walk. @throws CheckFailed at the first thing that is not as it must be; everything has been removed then. */
export async function walk(options: WalkOptions): Promise<void> {
  const { out, signal, keep } = options;
  out.title('From Pod to packet');
  out.say(
    'A small Kubernetes cluster on this machine: three nodes as network namespaces, Pods with real HTTP servers, real iptables rules.',
  );
  const world = await startWorld(options);
  let keptMs = 0;
  try {
    for (const [index, step] of STEPS.entries()) {
      world.signal.throwIfAborted();
      out.title(`${index + 1}. ${step.title}`);
      await Promise.race([step.run({ world, out }), aborted(world.signal)]);
    }
    const walked = out.elapsedMs;
    if (keep) await stay(world, out, signal);
    keptMs = out.elapsedMs - walked;
    out.title(`${STEPS.length + 1}. Leaving`);
    await leave(world, out);
  } catch (error) {
    // Whatever goes wrong while leaving, this was the cause.
    await world.stop().catch(() => undefined);
    throw error;
  }
  out.blank();
  out.holds(`${out.style('bold', 'all stations passed')} in ${((out.elapsedMs - keptMs) / 1000).toFixed(1)} s`);
}

async function stay(world: World, out: Narrator, leaveSignal: AbortSignal): Promise<void> {
  out.title('It stays until Ctrl-C');
  out.say('In another terminal:');
  out.command(`export KUBECONFIG=${world.kubeconfig}`);
  out.command('kubectl get pods,services,endpointslices -o wide');
  for (const [node, proxier] of world.proxiers) {
    const pid = outerPid(world.hosts.pid, proxier.pid);
    if (node === 'worker1' && pid !== undefined) {
      const user = world.hosts.rootless ? '-U --preserve-credentials ' : '';
      out.command(`nsenter -t ${pid} ${user}-n iptables-save   # the rules of ${node}`);
    }
  }
  await untilAborted(world.signal);
  // Ctrl-C is how one leaves; anything else that ended the world is a failure.
  if (!leaveSignal.aborted) throw world.signal.reason;
}
