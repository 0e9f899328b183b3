import type { TableColumn } from '../../kind.ts';
import { column } from '../columns.ts';
import { formatSelector } from '../validation/selectors.ts';
import type { WorkloadSpec } from './types.ts';

export const templateColumns: TableColumn[] = [
  column('Containers', 'Names of the containers in the template.', 1),
  column('Images', 'Images of the containers in the template.', 1),
  column('Selector', 'Which Pods belong to it.', 1),
];

export function templateCells({ selector, template }: WorkloadSpec): string[] {
  const containers = template.spec.containers ?? [];
  return [
    containers.map(({ name }) => name).join(','),
    containers.map(({ image }) => image ?? '').join(','),
    formatSelector(selector),
  ];
}
