import { startMemoryWorld } from './memory-world.ts';
import type { Narrator } from './narrator.ts';
import { appear } from './steps/appear.ts';
import { computedChange } from './steps/computed-change.ts';
import { aborted, untilAborted } from './until.ts';

/** The walk where no packet can be sent: the same objects, slices and rules, but the rules are only computed and shown. */
export async function memoryWalk(options: { out: Narrator; signal: AbortSignal; keep: boolean }): Promise<void> {
  const { out, signal, keep } = options;
  out.title('From Pod to packet, without packets');
  const world = await startMemoryWorld({ out, signal });
  try {
    const steps = [appear, computedChange];
    for (const [index, step] of steps.entries()) {
      out.title(`${index + 1}. ${step.title}`);
      await Promise.race([step.run({ world, out }), aborted(signal)]);
    }
    if (keep) {
      out.title('It stays until Ctrl-C');
      out.command(`export KUBECONFIG=${world.kubeconfig}`);
      await untilAborted(signal);
    }
  } catch (error) {
    // Whatever goes wrong while leaving, this was the cause.
    await world.stop().catch(() => undefined);
    throw error;
  }
  await world.stop();
  out.blank();
  out.holds(
    `${out.style('bold', 'all stations passed')} in ${(out.elapsedMs / 1000).toFixed(1)} s, with rules computed only`,
  );
}
