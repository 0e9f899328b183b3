import type { RawObject, TableColumn } from './kind.ts';
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

export function columnDefinitions(columns: TableColumn[]): unknown[] {
  return columns.map(({ name, type, format = '', description, priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

export function tableRow(kind: ServedKind, view: RawObject, now: Date, options: TableOptions): unknown {
  const { definition, apiVersion } = kind;
  const whole = { kind: definition.kind, apiVersion, ...view };
  return {
    cells: definition.strategy.row(view, now),
    object: rowObject(whole, options.includeObject, options.metaVersion),
  };
}

/** As much of an object as was asked for. */
export function rowObject(object: { metadata: unknown }, includeObject: IncludeObject, metaVersion: string): unknown {
  switch (includeObject) {
    case 'None':
      return null;
    case 'Metadata':
      return partialMetadata(object, metaVersion);
    case 'Object':
      return object;
  }
}

export function partialMetadata({ metadata }: { metadata: unknown }, metaVersion: string): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata };
}

export function table(metaVersion: string, metadata: unknown, columns: unknown[] | null, rows: unknown[]): unknown {
  return { kind: 'Table', apiVersion: `meta.k8s.io/${metaVersion}`, metadata, columnDefinitions: columns, rows };
}
