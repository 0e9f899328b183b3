import { LRUCache } from 'lru-cache';
import { objectKey } from '../objects/meta.ts';
import type { Pod } from '../objects/pod.ts';
import { sameLabels } from './pod-changes.ts';
import { PodLabels } from './pod-labels.ts';
import { type Labels, ServiceSelectors } from './service-selectors.ts';

interface Namespace {
  services: ServiceSelectors;
  pods: PodLabels;
}

/** Services whose Pods are kept at hand. One that has been dropped is resolved again when asked for. */
const RESOLVED_SERVICES = 16_384;

/**
 * Both directions between Services and Pods, kept up to date event by event: which Services select these labels, and
 * which Pods does this Service select. Work for an event grows with the labels of the Pod and the Services that match
 * it, not with the Services or Pods of its namespace.
 */
export class SelectorIndex {
  #namespaces = new Map<string, Namespace>();
  #selectors = new Map<string, Labels>();
  /** Service key -> Pod name -> Pod, the resolved selectors. */
  #resolved: LRUCache<string, Map<string, Pod>>;

  constructor(resolvedServices = RESOLVED_SERVICES) {
    this.#resolved = new LRUCache({ max: resolvedServices });
  }

  /** @param selector undefined for a Service that is gone or selects nothing. */
  setService(namespace: string, name: string, selector: Labels | undefined): void {
    const key = objectKey({ namespace, name });
    const wanted = selector && Object.keys(selector).length > 0 ? selector : undefined;
    if (sameLabels(this.#selectors.get(key), wanted)) return;
    this.#resolved.delete(key);
    if (wanted === undefined) {
      this.#selectors.delete(key);
      this.#namespaces.get(namespace)?.services.delete(key);
      this.#dropIfEmpty(namespace);
      return;
    }
    this.#selectors.set(key, wanted);
    this.#namespace(namespace).services.set(key, wanted);
  }

  setPod(pod: Pod): void {
    const { namespace = '', name, labels } = pod.metadata;
    const of = this.#namespace(namespace);
    const before = of.pods.get(name);
    of.pods.set(pod);
    if (before !== undefined && !sameLabels(before.metadata.labels, labels)) this.#unresolve(of, before);
    for (const service of of.services.matching(labels)) this.#resolved.peek(service)?.set(name, pod);
  }

  removePod(namespace: string, name: string): void {
    const of = this.#namespaces.get(namespace);
    const pod = of?.pods.get(name);
    if (of === undefined || pod === undefined) return;
    of.pods.delete(name);
    this.#unresolve(of, pod);
    this.#dropIfEmpty(namespace);
  }

  /** Keys of the Services in `namespace` whose selector matches `labels`. */
  servicesFor(namespace: string, labels: Labels | undefined): string[] {
    return this.#namespaces.get(namespace)?.services.matching(labels) ?? [];
  }

  /** The Pods that the Service selects now. */
  podsOf(namespace: string, name: string): Pod[] {
    const key = objectKey({ namespace, name });
    const selector = this.#selectors.get(key);
    if (selector === undefined) return [];
    let pods = this.#resolved.get(key);
    if (pods === undefined) {
      pods = new Map();
      for (const pod of this.#namespace(namespace).pods.matching(selector)) pods.set(pod.metadata.name, pod);
      this.#resolved.set(key, pods);
    }
    return [...pods.values()];
  }

  #unresolve(of: Namespace, pod: Pod): void {
    for (const service of of.services.matching(pod.metadata.labels)) {
      this.#resolved.peek(service)?.delete(pod.metadata.name);
    }
  }

  #namespace(name: string): Namespace {
    let namespace = this.#namespaces.get(name);
    if (namespace === undefined) {
      namespace = { services: new ServiceSelectors(), pods: new PodLabels() };
      this.#namespaces.set(name, namespace);
    }
    return namespace;
  }

  #dropIfEmpty(name: string): void {
    const namespace = this.#namespaces.get(name);
    if (namespace?.services.size === 0 && namespace.pods.size === 0) this.#namespaces.delete(name);
  }
}
