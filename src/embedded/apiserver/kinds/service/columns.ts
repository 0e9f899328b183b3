import type { RawObject, TableColumn } from '../../kind.ts';
import { ageCell, ageColumn, column, formatLabels, nameCell, nameColumn } from '../columns.ts';
import { asService, type ServiceObject, type ServicePort } from './types.ts';

export const serviceColumns: TableColumn[] = [
  nameColumn,
  column('Type', 'How the Service is exposed.'),
  column('Cluster-IP', 'The virtual IP, or None for a headless Service.'),
  column('External-IP', 'Addresses outside the cluster at which the Service is reached.'),
  column('Port(s)', 'Ports with node ports and protocols.'),
  ageColumn,
  column('Selector', 'Labels of the Pods behind the Service.', 1),
];

export function serviceRow(object: RawObject, now: Date): string[] {
  const service = asService(object);
  const { spec } = service;
  return [
    nameCell(object),
    spec.type ?? '',
    spec.clusterIPs?.[0] ?? '<none>',
    externalAddresses(service),
    (spec.ports ?? []).map(portCell).join(',') || '<none>',
    ageCell(object, now),
    formatLabels(spec.selector),
  ];
}

function externalAddresses({ spec, status }: ServiceObject): string {
  const external = (spec.externalIPs ?? []).join(',');
  if (spec.type === 'ExternalName') return spec.externalName ?? '<none>';
  if (spec.type !== 'LoadBalancer') return external || '<none>';
  const ingress = [
    ...new Set((status.loadBalancer.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean)),
  ];
  const balanced = ingress.sort().join(',');
  return [balanced, external].filter(Boolean).join(',') || '<pending>';
}

function portCell({ port, nodePort, protocol }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}
