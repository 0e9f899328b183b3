import type { KubeObject, ObjectMeta } from '../../objects/meta.ts';
import type { Resource } from '../resource.ts';
import { rawMeta, record } from './meta.ts';

/**
 * A kind that is kept whole but for `managedFields`, so that a read-modify-PUT loses no field that is newer than this code. For kinds
 * with few objects, and for those that we write.
 */
export function wholeResource<T extends KubeObject>(
  kind: Pick<Resource<T>, 'group' | 'version' | 'plural' | 'kind' | 'namespaced'>,
): Resource<T> {
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  return {
    ...kind,
    project: (raw) => {
      const metadata = wholeMeta(raw, kind.kind);
      // Items of a list carry neither apiVersion nor kind.
      return { apiVersion, kind: kind.kind, ...record(raw), metadata } as unknown as T;
    },
  };
}

export function wholeMeta(raw: unknown, kind: string): ObjectMeta {
  const { managedFields: _, ...metadata } = rawMeta(raw, kind);
  return metadata as ObjectMeta;
}
