import type { RawObject } from '../../kind.ts';

/** An EndpointSlice after decoding; empty lists are `null`, as the real server stores and serves them. */
export interface SliceObject extends RawObject {
  addressType: string;
  endpoints: SliceEndpoint[] | null;
  ports: SlicePort[] | null;
}

export interface SliceEndpoint {
  addresses: string[] | null;
  conditions: { ready?: boolean; serving?: boolean; terminating?: boolean };
  hostname?: string;
  nodeName?: string;
  zone?: string;
  hints?: { forZones?: { name: string }[]; forNodes?: { name: string }[] };
  deprecatedTopology?: Record<string, string>;
}

export interface SlicePort {
  name?: string;
  protocol?: string;
  port?: number;
  appProtocol?: string;
}

/** An object of this kind's bucket; decoding made sure of the types. */
export function asSlice(object: RawObject): SliceObject {
  return object as SliceObject;
}
