import type { KindDefinition } from '../kind.ts';
import { configMapKind } from './configmap.ts';
import { endpointsKind } from './endpoints.ts';
import { endpointSliceKind } from './endpointslice/index.ts';
import { coreEventKind, eventsEventKind } from './events/index.ts';
import { leaseKind } from './lease.ts';
import { namespaceKind } from './namespace.ts';
import { nodeKind } from './node/index.ts';
import { podKind } from './pod/index.ts';
import { rbacKinds } from './rbac.ts';
import { secretKind } from './secret.ts';
import { serviceKind } from './service/index.ts';
import type { ServiceNetwork } from './service/types.ts';
import { serviceAccountKind } from './serviceaccount.ts';
import { serviceCIDRKind } from './servicecidr.ts';
import { deploymentKind } from './workloads/deployment.ts';
import { replicaSetKind } from './workloads/replicaset.ts';

export type KindOptions = ServiceNetwork;

export const defaultKindOptions: KindOptions = {
  serviceCIDRs: ['10.96.0.0/16', 'fd00:10:96::/112'],
  nodePortRange: { from: 30000, to: 32767 },
};

/**
 * The rules of every kind that the embedded API server serves.
 * @throws RangeError naming the CIDR when a service CIDR is not one, or is the second of its family
 */
export function createKinds(options: Partial<KindOptions> = {}): KindDefinition[] {
  return [
    namespaceKind,
    nodeKind,
    podKind,
    serviceKind({ ...defaultKindOptions, ...options }),
    endpointsKind,
    coreEventKind,
    configMapKind,
    secretKind,
    serviceAccountKind,
    deploymentKind,
    replicaSetKind,
    endpointSliceKind,
    eventsEventKind,
    leaseKind,
    serviceCIDRKind,
    ...rbacKinds,
  ];
}

export const kinds: KindDefinition[] = createKinds();
