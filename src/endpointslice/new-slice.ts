import {
  type AddressType,
  type Endpoint,
  type EndpointPort,
  type EndpointSlice,
  TRIGGER_TIME_ANNOTATION,
} from '../objects/endpointslice.ts';
import type { ObjectMeta, OwnerReference } from '../objects/meta.ts';
import type { Service } from '../objects/service.ts';

export interface SliceContent {
  addressType: AddressType;
  ports: EndpointPort[];
  endpoints: Endpoint[];
}

/** A slice that does not exist yet; the API server makes its name out of `generateName`. */
export function newSlice(service: Service, labels: Record<string, string>, content: SliceContent): EndpointSlice {
  const { namespace, name } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: '',
      generateName: namePrefix(name),
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      ownerReferences: [ownerReference(service)],
    },
    ...content,
  };
}

/** A DNS subdomain prefix may end in a dash, as long as there is room for one (validation of `generateName`). */
function namePrefix(serviceName: string): string {
  return serviceName.length < 253 ? `${serviceName}-` : serviceName;
}

/** `blockOwnerDeletion` needs the right to update `services/finalizers`. */
function ownerReference({ metadata }: Service): OwnerReference {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The metadata with the trigger-time annotation set, or taken away when there is no time to tell. */
export function withTriggerTime(metadata: ObjectMeta, triggerTime: string | undefined): ObjectMeta {
  const { annotations, ...rest } = metadata;
  if (triggerTime === undefined && annotations?.[TRIGGER_TIME_ANNOTATION] === undefined) return metadata;
  const { [TRIGGER_TIME_ANNOTATION]: _, ...others } = annotations ?? {};
  const kept = triggerTime === undefined ? others : { ...others, [TRIGGER_TIME_ANNOTATION]: triggerTime };
  return Object.keys(kept).length === 0 ? rest : { ...rest, annotations: kept };
}
