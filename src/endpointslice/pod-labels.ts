import type { Pod } from '../objects/pod.ts';
import { sameLabels } from './pod-changes.ts';
import { type Labels, Pairs } from './service-selectors.ts';

/** A pair that only one Pod carries, such as a StatefulSet's Pod name, is not worth a set. */
type Members = Pod['metadata']['name'] | Set<string>;

/** Finds the Pods of one namespace that a selector matches, by way of the pair that fewest Pods carry. */
export class PodLabels {
  #pods = new Map<string, Pod>();
  #pairs = new Pairs<Members>();

  get size(): number {
    return this.#pods.size;
  }

  get(name: string): Pod | undefined {
    return this.#pods.get(name);
  }

  set(pod: Pod): void {
    const { name, labels } = pod.metadata;
    const before = this.#pods.get(name);
    this.#pods.set(name, pod);
    if (before && sameLabels(before.metadata.labels, labels)) return;
    if (before) this.#unfile(before);
    for (const key in labels) this.#file(key, labels[key] ?? '', name);
  }

  delete(name: string): void {
    const before = this.#pods.get(name);
    if (before === undefined) return;
    this.#pods.delete(name);
    this.#unfile(before);
  }

  *matching(selector: Labels): Iterable<Pod> {
    const pairs = Object.entries(selector);
    let fewest: Members | undefined;
    for (const [key, value] of pairs) {
      const members = this.#pairs.get(key, value);
      if (members === undefined) return;
      if (fewest === undefined || sizeOf(members) < sizeOf(fewest)) fewest = members;
    }
    if (fewest === undefined) return;
    for (const name of typeof fewest === 'string' ? [fewest] : fewest) {
      const pod = this.#pods.get(name);
      if (pod && pairs.every(([key, value]) => pod.metadata.labels?.[key] === value)) yield pod;
    }
  }

  #file(key: string, value: string, name: string): void {
    const members = this.#pairs.get(key, value);
    if (members === undefined) this.#pairs.set(key, value, name);
    else if (typeof members === 'string') this.#pairs.set(key, value, new Set([members, name]));
    else members.add(name);
  }

  #unfile({ metadata: { name, labels } }: Pod): void {
    for (const key in labels) {
      const value = labels[key] ?? '';
      const members = this.#pairs.get(key, value);
      if (typeof members === 'object') members.delete(name);
      if (members === name || (typeof members === 'object' && members.size === 0)) this.#pairs.delete(key, value);
    }
  }
}

function sizeOf(members: Members): number {
  return typeof members === 'string' ? 1 : members.size;
}
