import type { EndpointSlice } from '../../objects/endpointslice.ts';
import { encodeFields, type Fields, NoProtobufForm } from './encode.ts';
import { MAGIC } from './envelope.ts';
import { ProtoWriter } from './writer.ts';

/** meta/v1 ObjectMeta, but for `managedFields`, which are the server's (field numbers: `generated.proto` of k8s.io/apimachinery). */
const META: Fields = {
  name: [1, 'string'],
  generateName: [2, 'string'],
  namespace: [3, 'string'],
  selfLink: [4, 'string'],
  uid: [5, 'string'],
  resourceVersion: [6, 'string'],
  generation: [7, 'int'],
  creationTimestamp: [8, 'time'],
  deletionTimestamp: [9, 'time'],
  deletionGracePeriodSeconds: [10, 'int'],
  labels: [11, 'map'],
  annotations: [12, 'map'],
  ownerReferences: [
    13,
    {
      kind: [1, 'string'],
      name: [3, 'string'],
      uid: [4, 'string'],
      apiVersion: [5, 'string'],
      controller: [6, 'bool'],
      blockOwnerDeletion: [7, 'bool'],
    },
  ],
  finalizers: [14, 'string'],
};

const NAMED: Fields = { name: [1, 'string'] };

/** discovery.k8s.io/v1 Endpoint (field numbers: `generated.proto` of k8s.io/api/discovery/v1). */
const ENDPOINT: Fields = {
  addresses: [1, 'string'],
  conditions: [2, { ready: [1, 'bool'], serving: [2, 'bool'], terminating: [3, 'bool'] }],
  hostname: [3, 'string'],
  targetRef: [
    4,
    {
      kind: [1, 'string'],
      namespace: [2, 'string'],
      name: [3, 'string'],
      uid: [4, 'string'],
      apiVersion: [5, 'string'],
      resourceVersion: [6, 'string'],
      fieldPath: [7, 'string'],
    },
  ],
  deprecatedTopology: [5, 'map'],
  nodeName: [6, 'string'],
  zone: [7, 'string'],
  hints: [8, { forZones: [1, NAMED], forNodes: [2, NAMED] }],
};

const SLICE: Fields = {
  metadata: [1, META],
  endpoints: [2, ENDPOINT],
  ports: [3, { name: [1, 'string'], protocol: [2, 'string'], port: [3, 'int'], appProtocol: [4, 'string'] }],
  addressType: [4, 'string'],
};

const writer = new ProtoWriter();

/**
 * The slice as the body of a request, in its envelope. Undefined when it has a field that is unknown here, newer than this code perhaps:
 * JSON loses none.
 */
export function encodeEndpointSlice({ apiVersion: _, kind: __, ...slice }: EndpointSlice): Buffer | undefined {
  writer.reset();
  try {
    encodeFields(writer, SLICE, slice);
  } catch (error) {
    if (error instanceof NoProtobufForm) return undefined;
    throw error;
  }
  // `runtime.Unknown`: the object's bytes in field 2, its type in field 1.
  writer.wrap(2, 0);
  const before = writer.length;
  writer.string(2, 'EndpointSlice');
  writer.string(1, 'discovery.k8s.io/v1');
  writer.wrap(1, before);
  writer.raw(MAGIC);
  return writer.take();
}
