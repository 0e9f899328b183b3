import type { Lister, ResourceHandler } from '../kube/handler.ts';
import type { EndpointSlice } from '../objects/endpointslice.ts';
import type { KubeObject } from '../objects/meta.ts';
import type { Node } from '../objects/node.ts';
import type { Pod } from '../objects/pod.ts';
import type { Service } from '../objects/service.ts';

/** The cache of one kind, and news of it: a reflector, or a store that a test fills. */
export interface Source<T extends KubeObject> {
  readonly store: Lister<T>;
  readonly synced: Promise<void>;
  addHandler(handler: ResourceHandler<T>): () => void;
  start(): void;
  stop(): Promise<void>;
}

export interface Sources {
  services: Source<Service>;
  /** Indexed by `POD_INDEXERS`. */
  pods: Source<Pod>;
  nodes: Source<Node>;
  /** Indexed by `SLICE_INDEXERS`. */
  slices: Source<EndpointSlice>;
}
