import type { RawObject } from './kind.ts';
import type { ServedKind } from './registry.ts';
import { badRequest } from './status.ts';

/** What the `object` of a table row holds. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** @throws StatusError 400 */
export function parseIncludeObject(text: string | null): IncludeObject {
  if (text === null || text === '') return 'Metadata';
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

export interface TableOptions {
  metaVersion: string;
  includeObject: IncludeObject;
}

export function columnDefinitions(kind: ServedKind): unknown[] {
  return kind.definition.strategy.columns.map(({ name, type, format = '', description, priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

export function tableRow(kind: ServedKind, view: RawObject, now: Date, options: TableOptions): unknown {
  return { cells: kind.definition.strategy.row(view, now), object: rowObject(kind, view, options) };
}

function rowObject(kind: ServedKind, view: RawObject, { includeObject, metaVersion }: TableOptions): unknown {
  switch (includeObject) {
    case 'None':
      return null;
    case 'Metadata':
      return partialMetadata(view, metaVersion);
    case 'Object':
      return { kind: kind.definition.kind, apiVersion: kind.apiVersion, ...view };
  }
}

export function partialMetadata(view: RawObject, metaVersion: string): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata: view.metadata };
}

export function table(metaVersion: string, metadata: unknown, columns: unknown[] | null, rows: unknown[]): unknown {
  return { kind: 'Table', apiVersion: `meta.k8s.io/${metaVersion}`, metadata, columnDefinitions: columns, rows };
}
