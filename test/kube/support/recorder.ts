import type { ResourceHandler } from '../../../src/kube/handler.ts';
import type { KubeObject } from '../../../src/objects/meta.ts';

/** Writes each call down as one line: `add a@1 initial`, `update a 1->2`, `delete a@3 unknown`. */
export function recorder<T extends KubeObject>(): ResourceHandler<T> & { calls: string[] } {
  const calls: string[] = [];
  const label = ({ metadata }: T) => `${metadata.name}@${metadata.resourceVersion}`;
  return {
    calls,
    onAdd: (object, initial) => {
      calls.push(`add ${label(object)}${initial ? ' initial' : ''}`);
    },
    onUpdate: (before, after) => {
      calls.push(`update ${after.metadata.name} ${before.metadata.resourceVersion}->${after.metadata.resourceVersion}`);
    },
    onDelete: (last, stateUnknown) => {
      calls.push(`delete ${label(last)}${stateUnknown ? ' unknown' : ''}`);
    },
  };
}

/** Waits until something is so, one turn of the event loop after the other; the test's own time limit bounds it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
