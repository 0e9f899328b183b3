import type { Endpoint, EndpointSlice } from '../../src/objects/endpointslice.ts';
import type { Service } from '../../src/objects/service.ts';

/** A ClusterIP Service `ns/name` with one TCP port 80 named p80, to be varied. */
export function service(
  key: string,
  spec: Partial<Service['spec']> = {},
  rest: { annotations?: Record<string, string>; status?: NonNullable<Service['status']> } = {},
): Service {
  const [namespace = '', name = ''] = key.split('/');
  return {
    metadata: { namespace, name, ...(rest.annotations && { annotations: rest.annotations }) },
    spec: { type: 'ClusterIP', clusterIP: '172.30.0.41', ports: [{ name: 'p80', protocol: 'TCP', port: 80 }], ...spec },
    ...(rest.status && { status: rest.status }),
  };
}

/** A slice of Service `ns/name` with port p80 80/TCP; a plain string stands for a ready endpoint with that address. */
export function slice(
  serviceKey: string,
  name: string,
  endpoints: (string | Endpoint)[],
  rest: Partial<EndpointSlice> & { annotations?: Record<string, string>; resourceVersion?: string } = {},
): EndpointSlice {
  const [namespace = '', serviceName = ''] = serviceKey.split('/');
  const { annotations, resourceVersion, ...fields } = rest;
  return {
    metadata: {
      namespace,
      name,
      labels: { 'kubernetes.io/service-name': serviceName },
      ...(annotations && { annotations }),
      ...(resourceVersion && { resourceVersion }),
    },
    addressType: 'IPv4',
    endpoints: endpoints.map((e) => (typeof e === 'string' ? { addresses: [e] } : e)),
    ports: [{ name: 'p80', protocol: 'TCP', port: 80 }],
    ...fields,
  };
}
