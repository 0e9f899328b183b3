import type { KindDefinition } from '../kind.ts';
import { ageCell, ageColumn, nameCell, nameColumn } from './columns.ts';
import { decoderOf } from './schema/decode.ts';
import { strategyOf } from './strategy.ts';

export const serviceAccountKind: KindDefinition = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  kind: 'ServiceAccount',
  namespaced: true,
  shortNames: ['sa'],
  categories: [],
  subresources: [],
  returnsDeleted: true,
  decode: decoderOf('V1ServiceAccount'),
  strategy: strategyOf('V1ServiceAccount', {
    columns: [nameColumn, ageColumn],
    row: (object, now) => [nameCell(object), ageCell(object, now)],
  }),
};
