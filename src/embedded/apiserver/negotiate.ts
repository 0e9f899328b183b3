import { StatusError } from './status.ts';

/** In which form an answer is asked for. */
export interface Representation {
  form: 'object' | 'table' | 'metadata';
  /** The version of meta.k8s.io that a table or metadata is asked for in. */
  metaVersion: 'v1' | 'v1beta1';
  yaml: boolean;
}

interface MediaRange {
  type: string;
  parameters: Record<string, string>;
}

const plain: Representation = { form: 'object', metaVersion: 'v1', yaml: false };

/**
 * Picks the first acceptable form out of an `Accept` header.
 * @param shape `list` when the answer is a list, of which metadata is asked for by another name
 * @throws StatusError 406
 */
export function negotiate(accept: string | undefined, shape: 'object' | 'list' | 'watch'): Representation {
  const ranges = parseAccept(accept ?? '');
  if (ranges.length === 0) return plain;
  let wrongShape: StatusError | undefined;
  for (const range of ranges) {
    const yaml = range.type === 'application/yaml';
    if (!yaml && !['application/json', 'application/*', '*/*'].includes(range.type)) continue;
    const { as, g, v } = range.parameters;
    if (as === undefined) return { ...plain, yaml };
    if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) continue;
    if (as === 'Table') return { form: 'table', metaVersion: v, yaml };
    const wanted = shape === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata';
    if (as === wanted) return { form: 'metadata', metaVersion: v, yaml };
    if (as.startsWith('PartialObjectMetadata')) wrongShape ??= notThatShape(as, shape);
  }
  throw wrongShape ?? notAcceptable();
}

function parseAccept(text: string): MediaRange[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
      const parameters: Record<string, string> = {};
      for (const piece of rest) {
        const mark = piece.indexOf('=');
        if (mark > 0) parameters[piece.slice(0, mark)] = piece.slice(mark + 1);
      }
      return { type: type.toLowerCase(), parameters };
    });
}

/** Whether the client accepts this JSON document type of an API group (aggregated discovery). */
export function acceptsDocument(accept: string | undefined, group: string, version: string, as: string): boolean {
  return parseAccept(accept ?? '').some(
    ({ type, parameters: { g, v, as: wanted } }) =>
      type === 'application/json' && g === group && v === version && wanted === as,
  );
}

function notThatShape(as: string, shape: string): StatusError {
  const found = shape === 'list' ? 'is a list' : 'is not a list';
  return new StatusError(406, 'NotAcceptable', `you requested ${as}, but the requested object ${found}`);
}

function notAcceptable(): StatusError {
  const message = '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml';
  return new StatusError(406, 'NotAcceptable', message, {});
}
