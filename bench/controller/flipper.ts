import { setTimeout as wait } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { KubeClient } from '../../src/kube/client.ts';
import { type ClusterShape, namespaceName, podName } from '../support/cluster.ts';
import { percentile } from '../support/table.ts';
import { setReady } from './load.ts';
import type { SliceObserver } from './slice-observer.ts';

export interface FlipRound {
  perSecond: number;
  count: number;
  p50: number;
  p99: number;
  /** Flips that no watcher had seen 5 s after the last one. */
  unseen: number;
  cpuMillisecondsPerFlip: number;
}

export interface FlipperParts {
  client: KubeClient;
  observer: SliceObserver;
  shape: ClusterShape;
  /** Of the controller. */
  cpuSeconds: () => number;
}

/** What slices do not show by then counts as seen then, so that no controller keeps the others from being measured. */
const GIVE_UP_MS = 60_000;

/** Turns Pods from ready to not ready and back, one at a time for each Service, and notes when slices show it. */
export class Flipper {
  readonly #parts: FlipperParts;
  /** Flat indexes of the Pods that are not ready. */
  readonly #notReady = new Set<number>();

  constructor(parts: FlipperParts) {
    this.#parts = parts;
  }

  /** Flips `count` Pods at a steady rate, and waits until slices show all of it. */
  async round(perSecond: number, count: number): Promise<FlipRound> {
    const { observer, cpuSeconds } = this.#parts;
    const cpuBefore = cpuSeconds();
    const startedAt = performance.now();
    const flips: { pod: string; ready: boolean; sentAt: number; acknowledgedAt: number }[] = [];
    const sent: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      await wait(Math.max(0, startedAt + (i * 1000) / perSecond - performance.now()));
      const sentAt = performance.now();
      const { pod, ready, done } = this.#flip(i);
      sent.push(done.then((acknowledgedAt) => void flips.push({ pod, ready, sentAt, acknowledgedAt })));
    }
    await Promise.all(sent);
    const deadline = performance.now() + 5000;
    const missing = () => flips.filter((f) => observer.seen(f.pod, f.ready, f.sentAt) === undefined).length;
    while (missing() > 0 && performance.now() < deadline) await wait(50);
    const unseen = missing();
    while (missing() > 0 && performance.now() < deadline + GIVE_UP_MS) await wait(200);
    const endedAt = performance.now();
    const latencies = flips.map((f) =>
      Math.max(0, (observer.seen(f.pod, f.ready, f.sentAt) ?? endedAt) - f.acknowledgedAt),
    );
    const cpuMillisecondsPerFlip = ((cpuSeconds() - cpuBefore) * 1000) / count;
    await wait(2000);
    return {
      perSecond,
      count,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      unseen,
      cpuMillisecondsPerFlip,
    };
  }

  /** All ready again, as the next controller is to find them. */
  async restore(): Promise<void> {
    const { shape, client } = this.#parts;
    const atATime = new PQueue({ concurrency: 16 });
    for (const flat of this.#notReady) {
      const [service, pod] = [flat % shape.services, Math.floor(flat / shape.services)];
      void atATime.add(() => setReady(client, shape, service, pod, true));
    }
    await atATime.onIdle();
    this.#notReady.clear();
  }

  /** The stride visits a different Service each time; every round begins with the same ones. */
  #flip(i: number): { pod: string; ready: boolean; done: Promise<number> } {
    const { client, shape } = this.#parts;
    const service = (i * 7) % shape.services;
    const pod = Math.floor(i / shape.services) % shape.podsPerService;
    const flat = pod * shape.services + service;
    const ready = this.#notReady.delete(flat);
    if (!ready) this.#notReady.add(flat);
    const done = setReady(client, shape, service, pod, ready);
    return { pod: `${namespaceName(shape, service)}/${podName(service, pod)}`, ready, done };
  }
}
