import { stringify as toYaml } from 'yaml';
import type { Exchange } from './exchange.ts';
import { cloneJson } from './json.ts';
import type { RawObject } from './kind.ts';
import { negotiate, type Representation } from './negotiate.ts';
import type { ServedKind } from './registry.ts';
import { sendBuffers, sendJson } from './respond.ts';
import { encodeObject } from './serialize.ts';
import {
  columnDefinitions,
  type IncludeObject,
  parseIncludeObject,
  partialMetadata,
  table,
  tableRow,
} from './table.ts';

/** Answers with one stored object, in the form that the client asked for. @throws StatusError 406 */
export function answerObject(exchange: Exchange, code: number, kind: ServedKind, stored: RawObject): void {
  const { info, response, serving } = exchange;
  const { form, metaVersion, includeObject, yaml } = representationOf(exchange);
  const isWrite = info.verb === 'create' || info.verb === 'update' || info.verb === 'patch';
  if (isWrite) exchange.warnings.push(...(kind.definition.strategy.warnings?.(kind.view(stored)) ?? []));
  sendWarnings(exchange, kind);
  if (form === 'object' && !yaml) {
    sendBuffers(response, code, [encodeObject(kind, stored)]);
    return;
  }
  const view = kind.view(stored);
  const now = new Date(serving.registry.clock.now());
  const rows = () => [tableRow(kind, view, now, { metaVersion, includeObject })];
  const value =
    form === 'table'
      ? table(
          metaVersion,
          { resourceVersion: view.metadata.resourceVersion },
          columnDefinitions(kind.definition.strategy.columns),
          rows(),
        )
      : form === 'metadata'
        ? partialMetadata(view, metaVersion)
        : { kind: kind.definition.kind, apiVersion: kind.apiVersion, ...view };
  sendValue(exchange, code, value, yaml);
}

/** In which form the client asked for one object. @throws StatusError 400 or 406 */
export function representationOf({ info, message }: Exchange): Representation & { includeObject: IncludeObject } {
  const representation = negotiate(message.headers.accept, 'object');
  return { ...representation, includeObject: parseIncludeObject(info.query.get('includeObject')) };
}

export function sendValue({ response }: Exchange, code: number, value: unknown, yaml: boolean): void {
  if (yaml) sendBuffers(response, code, [Buffer.from(toYaml(cloneJson(value)))], 'application/yaml');
  else sendJson(response, code, value);
}

/** Sets the `Warning` headers (RFC 7234, code 299) that have come together while the request was served. */
export function sendWarnings({ response, warnings }: Exchange, kind?: ServedKind): void {
  const all = [...(kind?.definition.deprecation ? [kind.definition.deprecation] : []), ...warnings];
  if (all.length > 0)
    response.setHeader(
      'Warning',
      all.map((text) => `299 - ${JSON.stringify(text)}`),
    );
}
