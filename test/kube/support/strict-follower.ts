import type { ResourceHandler } from '../../../src/kube/handler.ts';
import { type KubeObject, objectKey } from '../../../src/objects/meta.ts';

/** A handler that rebuilds the state from the calls alone, and notes every call that does not follow from the ones before. */
export class StrictFollower<T extends KubeObject> implements ResourceHandler<T> {
  readonly objects = new Map<string, T>();
  readonly violations: string[] = [];
  calls = 0;

  onAdd(object: T): void {
    const key = this.#count(object);
    if (this.objects.has(key)) this.violations.push(`add of ${key}, which was there`);
    this.objects.set(key, object);
  }

  onUpdate(before: T, after: T): void {
    const key = this.#count(after);
    if (this.objects.get(key) !== before) this.violations.push(`update of ${key} from another state than told before`);
    if (before.metadata.uid !== after.metadata.uid) this.violations.push(`update of ${key} to another object`);
    if (before.metadata.resourceVersion === after.metadata.resourceVersion) {
      this.violations.push(`update of ${key} without a change`);
    }
    this.objects.set(key, after);
  }

  onDelete(last: T, stateUnknown: boolean): void {
    const key = this.#count(last);
    const known = this.objects.get(key);
    if (!known) this.violations.push(`delete of ${key}, which was not there`);
    if (known && known.metadata.uid !== last.metadata.uid) this.violations.push(`delete of another ${key}`);
    if (stateUnknown && known !== last) this.violations.push(`delete of ${key} not with the last state told`);
    this.objects.delete(key);
  }

  #count(object: T): string {
    this.calls++;
    return objectKey(object.metadata);
  }
}
