import type { KindDefinition } from '../kind.ts';
import { ageCell, ageColumn, nameCell, nameColumn } from './columns.ts';
import { serviceKind } from './service/index.ts';
import type { ServiceNetwork } from './service/types.ts';
import { strategyOf } from './strategy.ts';

export type KindOptions = ServiceNetwork;

export const defaultKindOptions: KindOptions = {
  serviceCIDRs: ['10.96.0.0/16', 'fd00:10:96::/112'],
  nodePortRange: { from: 30000, to: 32767 },
};

/** The rules of every kind that the embedded API server serves. */
export function createKinds(options: Partial<KindOptions> = {}): KindDefinition[] {
  const strategy = strategyOf({
    columns: [nameColumn, ageColumn],
    row: (object, now) => [nameCell(object), ageCell(object, now)],
  });
  type Shape = Partial<KindDefinition> & Pick<KindDefinition, 'plural' | 'kind'>;
  const kind = (shape: Shape): KindDefinition => ({
    group: '',
    version: 'v1',
    singular: shape.kind.toLowerCase(),
    namespaced: true,
    shortNames: [],
    categories: [],
    subresources: [],
    strategy,
    ...shape,
  });
  const all = ['all'];
  const rbac = 'rbac.authorization.k8s.io';
  return [
    kind({ plural: 'namespaces', kind: 'Namespace', namespaced: false, shortNames: ['ns'], subresources: ['status'] }),
    kind({ plural: 'nodes', kind: 'Node', namespaced: false, shortNames: ['no'], subresources: ['status'] }),
    kind({
      plural: 'pods',
      kind: 'Pod',
      shortNames: ['po'],
      categories: all,
      subresources: ['status', 'binding'],
      strategy: { ...strategy, defaultGraceSeconds: () => 30 },
    }),
    serviceKind({ ...defaultKindOptions, ...options }),
    kind({ plural: 'endpoints', kind: 'Endpoints', shortNames: ['ep'] }),
    kind({ plural: 'events', kind: 'Event', shortNames: ['ev'] }),
    kind({ plural: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'] }),
    kind({ plural: 'secrets', kind: 'Secret' }),
    kind({ plural: 'serviceaccounts', kind: 'ServiceAccount', shortNames: ['sa'] }),
    kind({
      group: 'apps',
      plural: 'deployments',
      kind: 'Deployment',
      shortNames: ['deploy'],
      categories: all,
      subresources: ['status', 'scale'],
    }),
    kind({
      group: 'apps',
      plural: 'replicasets',
      kind: 'ReplicaSet',
      shortNames: ['rs'],
      categories: all,
      subresources: ['status', 'scale'],
    }),
    kind({ group: 'discovery.k8s.io', plural: 'endpointslices', kind: 'EndpointSlice' }),
    kind({
      group: 'events.k8s.io',
      plural: 'events',
      kind: 'Event',
      shortNames: ['ev'],
      aliasOf: { plural: 'events', group: '', fromStorage: (o) => o, toStorage: (o) => o },
    }),
    kind({ group: 'coordination.k8s.io', plural: 'leases', kind: 'Lease' }),
    kind({
      group: 'networking.k8s.io',
      plural: 'servicecidrs',
      kind: 'ServiceCIDR',
      namespaced: false,
      subresources: ['status'],
    }),
    kind({ group: rbac, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false }),
    kind({ group: rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false }),
    kind({ group: rbac, plural: 'roles', kind: 'Role' }),
    kind({ group: rbac, plural: 'rolebindings', kind: 'RoleBinding' }),
  ];
}

export const kinds: KindDefinition[] = createKinds();
