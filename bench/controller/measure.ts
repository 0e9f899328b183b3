import { setTimeout as wait } from 'node:timers/promises';
import type { KubeClient } from '../../src/kube/client.ts';
import { type ClusterShape, namespaceName, podName } from '../support/cluster.ts';
import { cpuSeconds, residentMemory } from '../support/process-stats.ts';
import { percentile } from '../support/table.ts';
import type { Candidate } from './candidates.ts';
import { end } from './candidates.ts';
import { deleteAllSlices, setReady } from './load.ts';
import type { SliceObserver } from './slice-observer.ts';

export interface ColdStart {
  wallSeconds: number;
  firstWriteSeconds: number;
  cpuSeconds: number;
  peakMegabytes: number;
}

export interface Flips {
  perSecond: number;
  count: number;
  p50: number;
  p99: number;
  /** Flips that no watcher had seen 5 s after the last one. */
  unseen: number;
  cpuMillisecondsPerFlip: number;
}

export interface Bench {
  client: KubeClient;
  observer: SliceObserver;
  shape: ClusterShape;
  kubeconfig: string;
  folder: string;
}

export interface Result {
  candidate: Candidate;
  cold: ColdStart;
  flips: Flips[];
}

export async function measure(bench: Bench, candidate: Candidate, rates: number[], seconds: number): Promise<Result> {
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
    if (!candidate.follows) return { candidate, cold, flips: [] };
    // The second look at every Service, a second after its slice appeared, must not count as flips.
    await wait(5000);
    const flips: Flips[] = [];
    for (const rate of rates) flips.push(await flipAt(bench, pid, rate, seconds));
    return { candidate, cold, flips };
  } finally {
    await end(child);
  }
}

async function flipAt({ client, observer, shape }: Bench, pid: number, rate: number, seconds: number): Promise<Flips> {
  const count = rate * seconds;
  const cpuBefore = cpuSeconds(pid);
  const startedAt = performance.now();
  const flips: { pod: string; sentAt: number; acknowledgedAt: number }[] = [];
  const sent: Promise<void>[] = [];
  // Each Pod is flipped once and back afterwards; the stride visits a different Service each time.
  const target = (i: number) => ({
    service: (i * 7) % shape.services,
    pod: Math.floor(i / shape.services) % shape.podsPerService,
  });
  for (let i = 0; i < count; i++) {
    await wait(Math.max(0, startedAt + (i * 1000) / rate - performance.now()));
    const { service, pod } = target(i);
    const sentAt = performance.now();
    const key = `${namespaceName(shape, service)}/${podName(service, pod)}`;
    sent.push(
      setReady(client, shape, service, pod, false).then((acknowledgedAt) => {
        flips.push({ pod: key, sentAt, acknowledgedAt });
      }),
    );
  }
  await Promise.all(sent);
  const deadline = performance.now() + 5000;
  const missing = () => flips.filter((f) => observer.seen(f.pod, false, f.sentAt) === undefined).length;
  while (missing() > 0 && performance.now() < deadline) await wait(50);
  const unseen = missing();
  while (missing() > 0) await wait(200);
  const latencies = flips.map((f) =>
    Math.max(0, (observer.seen(f.pod, false, f.sentAt) ?? Number.NaN) - f.acknowledgedAt),
  );
  const cpuMillisecondsPerFlip = ((cpuSeconds(pid) - cpuBefore) * 1000) / count;

  for (let i = 0; i < count; i++) {
    const { service, pod } = target(i);
    await setReady(client, shape, service, pod, true);
  }
  await wait(6000);
  return {
    perSecond: rate,
    count,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    unseen,
    cpuMillisecondsPerFlip,
  };
}
