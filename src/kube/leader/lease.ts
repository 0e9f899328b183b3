import type { ObjectMeta } from '../../objects/meta.ts';

/** coordination.k8s.io/v1 Lease. Times are RFC 3339 with microseconds; durations whole seconds. */
export interface Lease {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

/** One Lease at the API server. Rejects with `ApiError`: `NOT_FOUND` from get, `CONFLICT`/`ALREADY_EXISTS` from a lost race. */
export interface LeaseClient {
  get(signal: AbortSignal): Promise<Lease>;
  create(spec: Lease['spec'], signal: AbortSignal): Promise<Lease>;
  /** Replaces the spec; `current.metadata.resourceVersion` is the precondition. */
  update(current: Lease, spec: Lease['spec'], signal: AbortSignal): Promise<Lease>;
}

/** `2026-11-21T02:00:00.000000Z`: the API's MicroTime. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');
}

/** Whether two specs are the same record: any difference means that the holder has been alive since. */
export function sameRecord(a: Lease['spec'] | undefined, b: Lease['spec'] | undefined): boolean {
  return (
    a?.holderIdentity === b?.holderIdentity &&
    a?.leaseDurationSeconds === b?.leaseDurationSeconds &&
    a?.acquireTime === b?.acquireTime &&
    a?.renewTime === b?.renewTime &&
    a?.leaseTransitions === b?.leaseTransitions
  );
}
