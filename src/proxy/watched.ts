import { intern } from '../kube/projections/intern.ts';
import { list, projectMeta, record } from '../kube/projections/meta.ts';
import type { Resource } from '../kube/resource.ts';
import { isRecord } from '../kube/values.ts';
import {
  type AddressType,
  type Endpoint,
  type EndpointPort,
  type EndpointSlice,
  HEADLESS_LABEL,
  SERVICE_NAME_LABEL,
  TRIGGER_TIME_ANNOTATION,
} from '../objects/endpointslice.ts';
import type { Protocol } from '../objects/meta.ts';

/** A Service with this label, whatever its value, is another proxy's. */
const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';

/** What kube-proxy 1.36 watches. */
export const SERVICE_SELECTORS = { labelSelector: `!${PROXY_NAME_LABEL}`, fieldSelector: 'spec.clusterIP!=None' };
export const SLICE_SELECTORS = { labelSelector: `!${HEADLESS_LABEL}` };

/** EndpointSlices with only what a proxier reads: at 2,000 Services it is what most of its memory goes to. */
export const PROXY_SLICES: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
  project(raw) {
    const { name, namespace, resourceVersion, labels, annotations } = projectMeta(raw, 'EndpointSlice', {
      annotations: true,
    });
    const from = record(raw);
    const service = labels?.[SERVICE_NAME_LABEL];
    const trigger = annotations?.[TRIGGER_TIME_ANNOTATION];
    return {
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        ...(resourceVersion !== undefined && { resourceVersion }),
        ...(service !== undefined && { labels: { [SERVICE_NAME_LABEL]: service } }),
        ...(trigger !== undefined && { annotations: { [TRIGGER_TIME_ANNOTATION]: trigger } }),
      },
      addressType: (typeof from.addressType === 'string' ? intern(from.addressType) : 'IPv4') as AddressType,
      endpoints: list(from.endpoints).flatMap(projectEndpoint),
      ports: list(from.ports).flatMap(projectPort),
    };
  },
};

/** Only the first address counts (KEP-752 leaves more than one undefined). */
function projectEndpoint(raw: unknown): Endpoint[] {
  if (!isRecord(raw)) return [];
  const [address] = list(raw.addresses);
  const endpoint: Endpoint = { addresses: typeof address === 'string' ? [address] : [] };
  const { ready, serving, terminating } = record(raw.conditions);
  if (ready === false || serving === false || terminating === true) {
    endpoint.conditions = {
      ...(ready === false && { ready }),
      ...(serving === false && { serving }),
      ...(terminating === true && { terminating }),
    };
  }
  if (typeof raw.nodeName === 'string') endpoint.nodeName = intern(raw.nodeName);
  const hints = record(raw.hints);
  const forZones = names(hints.forZones);
  const forNodes = names(hints.forNodes);
  if (forZones.length + forNodes.length > 0) endpoint.hints = { forZones, forNodes };
  return [endpoint];
}

function names(raw: unknown): { name: string }[] {
  return list(raw).flatMap((entry) =>
    isRecord(entry) && typeof entry.name === 'string' ? [{ name: intern(entry.name) }] : [],
  );
}

/** A port without a name or number is kept as it is: the reader of the slice reports it. */
function projectPort(raw: unknown): EndpointPort[] {
  if (!isRecord(raw)) return [];
  const port: EndpointPort = {};
  if (typeof raw.name === 'string') port.name = intern(raw.name);
  if (typeof raw.protocol === 'string') port.protocol = intern(raw.protocol) as Protocol;
  if (typeof raw.port === 'number') port.port = raw.port;
  return [port];
}
