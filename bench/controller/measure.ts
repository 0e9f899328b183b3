import { setTimeout as wait } from 'node:timers/promises';
import type { KubeClient } from '../../src/kube/client.ts';
import type { ClusterShape } from '../support/cluster.ts';
import { cpuSeconds, residentMemory } from '../support/process-stats.ts';
import type { Candidate } from './candidates.ts';
import { end } from './candidates.ts';
import { Flipper, type FlipRound } from './flipper.ts';
import { deleteAllSlices } from './load.ts';
import type { SliceObserver } from './slice-observer.ts';

export interface ColdStart {
  wallSeconds: number;
  firstWriteSeconds: number;
  cpuSeconds: number;
  peakMegabytes: number;
}

export interface Bench {
  client: KubeClient;
  observer: SliceObserver;
  shape: ClusterShape;
  kubeconfig: string;
  folder: string;
}

export interface Rounds {
  /** Flips a second, each in a round of its own. */
  rates: readonly number[];
  secondsEach: number;
  /** Flips before the first round, so that code is as warm as it is after a minute in service. */
  warmUp: number;
}

export interface Result {
  candidate: Candidate;
  cold: ColdStart;
  flips: FlipRound[];
  /** After all flips. */
  peakMegabytes: number;
}

const WARM_UP_PER_SECOND = 200;

export async function measure(bench: Bench, candidate: Candidate, rounds: Rounds): Promise<Result> {
  const { client, observer, shape, kubeconfig, folder } = bench;
  await deleteAllSlices(client, shape);
  while (observer.size > 0) await wait(100);
  await wait(2000);

  const done = observer.converged(shape.services, shape.podsPerService);
  const startedAt = performance.now();
  const child = candidate.start(kubeconfig, folder);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${candidate.name} did not start`);
  try {
    await Promise.race([
      done,
      new Promise((_, reject) =>
        child.once('exit', (code) => reject(new Error(`${candidate.name} ended with ${code}`))),
      ),
    ]);
    const cold: ColdStart = {
      wallSeconds: (performance.now() - startedAt) / 1000,
      firstWriteSeconds: ((observer.firstWriteAt ?? Number.NaN) - startedAt) / 1000,
      cpuSeconds: cpuSeconds(pid),
      peakMegabytes: residentMemory(pid).peak,
    };
    const flips: FlipRound[] = [];
    if (rounds.rates.length > 0) {
      // The second look at every Service, a second after its slice appeared, must not count as flips.
      await wait(4000);
      const flipper = new Flipper({ client, observer, shape, cpuSeconds: () => cpuSeconds(pid) });
      if (rounds.warmUp > 0) await flipper.round(WARM_UP_PER_SECOND, rounds.warmUp);
      for (const rate of rounds.rates) flips.push(await flipper.round(rate, rate * rounds.secondsEach));
      await flipper.restore();
    }
    return { candidate, cold, flips, peakMegabytes: residentMemory(pid).peak };
  } finally {
    await end(child);
  }
}
