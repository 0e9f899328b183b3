/** Plain data in the shape of the Kubernetes API (JSON field names), cut down to the fields that Slicewise reads or writes. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  /** Absent on cluster-scoped objects. */
  namespace?: string;
  generateName?: string;
  uid?: string;
  /** Opaque; compare for equality only. */
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339, seconds. */
  creationTimestamp?: string;
  /** RFC 3339, seconds; set once deletion was asked for. */
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  /** Empty since Kubernetes 1.20; kept where an object is written back. */
  selfLink?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface KubeObject {
  metadata: ObjectMeta;
}

/** `namespace/name`, or `name` alone for a cluster-scoped object: the key used by stores and work queues. */
export type ObjectKey = string;

export function objectKey(meta: { namespace?: string; name: string }): ObjectKey {
  return meta.namespace ? `${meta.namespace}/${meta.name}` : meta.name;
}

/** @throws RangeError naming the key when it has more than one slash or an empty part. */
export function splitObjectKey(key: ObjectKey): { namespace: string; name: string } {
  const parts = key.split('/');
  const [first, second] = parts;
  if (parts.length === 1 && first) return { namespace: '', name: first };
  if (parts.length === 2 && first && second) return { namespace: first, name: second };
  throw new RangeError(`object key "${key}" is not "name" or "namespace/name"`);
}

export interface ObjectReference {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  resourceVersion?: string;
  fieldPath?: string;
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP';
export type IPFamily = 'IPv4' | 'IPv6';
