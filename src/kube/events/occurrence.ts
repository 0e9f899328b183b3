import type { ObjectReference } from '../../objects/meta.ts';

/** Something worth telling about an object, as its observer words it. */
export interface Occurrence {
  /** The object it is about. Cluster-scoped ones have no `namespace`; their events live in `default`. */
  regarding: ObjectReference;
  type: 'Normal' | 'Warning';
  /** Short, in CamelCase, for machines: `FailedToUpdateEndpointSlices`. */
  reason: string;
  /** For people. */
  message: string;
  /** What was being done; only events.k8s.io/v1 has a place for it. */
  action?: string | undefined;
  related?: ObjectReference | undefined;
}

/** Who tells. */
export interface Reporter {
  /** `slicewise-controller` */
  component: string;
  /** The node or Pod that it runs on. */
  host: string;
}

/** Longest message that the API server accepts in events.k8s.io/v1: bytes of UTF-8. In core/v1 nothing bounds it; we do. */
export const MAX_MESSAGE_BYTES = 1024;
