import { isTrue, type PodObject, type PodStatus } from '../kubelet/objects.ts';

interface ReadyWrite {
  ready: boolean;
  /** `performance.now()` once the API server had the status. */
  at: number;
}

/** When each Pod's readiness was last written to the API server: the start of the way from status to kernel. */
export class StatusTimes {
  readonly #last = new Map<string, ReadyWrite>();
  readonly #waiting = new Set<() => void>();

  record(pod: PodObject, status: PodStatus): void {
    const ready = isTrue(status.conditions, 'Ready');
    if (this.#last.get(pod.metadata.name)?.ready === ready) return;
    this.#last.set(pod.metadata.name, { ready, at: performance.now() });
    for (const look of this.#waiting) look();
  }

  /** Resolves with the time at which this Pod's readiness became `ready`, at once when it is that already. */
  whenReady(pod: string, ready: boolean): Promise<number> {
    return new Promise((resolve) => {
      const look = () => {
        const last = this.#last.get(pod);
        if (last?.ready !== ready) return;
        this.#waiting.delete(look);
        resolve(last.at);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
