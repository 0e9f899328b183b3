import { stringify as toYaml } from 'yaml';
import { sendWarnings } from './answer.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type { Exchange } from './exchange.ts';
import { type ListOptions, parseListOptions, parseRevision } from './list-options.ts';
import { negotiate, type Representation } from './negotiate.ts';
import type { Registry, ServedKind } from './registry.ts';
import type { ResourceTarget } from './request.ts';
import { sendBuffers, sendChunks } from './respond.ts';
import { reachRevision } from './revisions.ts';
import { bodyOf } from './serialize.ts';
import { badRequest, expired } from './status.ts';
import { CompactedError, prefixOf, type StoreEntry } from './store.ts';
import { columnDefinitions, type IncludeObject, parseIncludeObject, partialMetadata, tableRow } from './table.ts';

/** `ListMeta` of meta/v1. */
interface ListMeta {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

export interface Page {
  meta: ListMeta;
  entries: StoreEntry[];
}

const itemsPerChunk = 250;

/** Answers a list request. @throws StatusError */
export async function serveList(exchange: Exchange, kind: ServedKind, target: ResourceTarget): Promise<void> {
  const { info, message, response, serving } = exchange;
  const options = parseListOptions(info.query, false, kind.definition);
  const representation = negotiate(message.headers.accept, 'list');
  const includeObject = parseIncludeObject(info.query.get('includeObject'));
  const stale = serving.faults.takeStaleList(kind.definition.plural);
  const page = await readPage(serving.registry, kind, target.namespace, options, stale);
  const now = new Date(serving.registry.clock.now());
  const chunks = listChunks(kind, page, representation, includeObject, now);
  sendWarnings(exchange, kind);
  if (representation.yaml) {
    const text = toYaml(JSON.parse(Buffer.concat([...chunks]).toString('utf8')));
    sendBuffers(response, 200, [Buffer.from(text)], 'application/yaml');
  } else await sendChunks(response, 'application/json', chunks);
}

/**
 * The objects that a list request asks for. All pages of one list show the state at the revision of the first.
 * @param stale serve this earlier revision instead (an injected fault)
 * @throws StatusError
 */
export async function readPage(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  options: ListOptions,
  stale?: number,
): Promise<Page> {
  const { store } = registry;
  if (options.continueToken !== '') return continuedPage(registry, kind, namespace, options);
  const requested = parseRevision(options.resourceVersion, 'list');
  if (requested > store.revision) await reachRevision(registry, requested);
  const exact = options.match === 'Exact' || (options.match === '' && options.limit > 0 && requested > 0);
  const revision = stale ?? (exact ? requested : store.revision);
  const entries = entriesAt(
    kind,
    revision,
    namespace,
    expired('The resourceVersion for the provided list is too old.'),
  );
  return cut(kind, entries, revision, namespace, options);
}

function continuedPage(
  registry: Registry,
  kind: ServedKind,
  namespace: string | undefined,
  options: ListOptions,
): Page {
  const token = decodeContinue(options.continueToken);
  if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const start = namespace === undefined ? token.start : `${namespace}/${token.start}`;
  const revision = token.revision < 0 ? registry.store.revision : token.revision;
  const restart = encodeContinue({ revision: -1, start: token.start });
  const tooOld = expired(continueTooOld, { continue: restart });
  const entries = entriesAt(kind, revision, namespace, tooOld).filter(({ key }) => key >= start);
  return cut(kind, entries, revision, namespace, options);
}

const continueTooOld =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

function entriesAt(kind: ServedKind, revision: number, namespace: string | undefined, tooOld: Error): StoreEntry[] {
  try {
    return kind.bucket.listAt(revision, namespace);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    throw tooOld;
  }
}

/** Takes the first page off `entries`, which are all that are left. */
function cut(
  kind: ServedKind,
  entries: StoreEntry[],
  revision: number,
  namespace: string | undefined,
  options: ListOptions,
): Page {
  const { resourceVersion, match, selective, matches } = options;
  // The real server serves resourceVersion=0 from its cache as a whole, whatever the limit.
  const limit = resourceVersion === '0' && match === '' ? 0 : options.limit;
  const meta: ListMeta = { resourceVersion: String(revision) };
  if (!selective && (limit === 0 || entries.length <= limit)) return { meta, entries };
  const chosen: StoreEntry[] = [];
  let seen = 0;
  for (const entry of entries) {
    if (limit > 0 && chosen.length === limit) break;
    seen++;
    if (matches(kind.view(entry.object))) chosen.push(entry);
  }
  const remaining = entries.length - seen;
  const last = chosen.at(-1);
  if (remaining > 0 && last) {
    meta.continue = encodeContinue({ revision, start: `${last.key.slice(prefixOf(namespace).length)}\0` });
    if (!selective) meta.remainingItemCount = remaining;
  }
  return { meta, entries: chosen };
}

/** A page as one list object, in chunks. */
export function encodeList(kind: ServedKind, page: Page): Iterable<Buffer> {
  return listChunks(kind, page, { form: 'object', metaVersion: 'v1' }, 'None', new Date(0));
}

function* listChunks(
  kind: ServedKind,
  { meta, entries }: Page,
  { form, metaVersion }: Pick<Representation, 'form' | 'metaVersion'>,
  includeObject: IncludeObject,
  now: Date,
): Iterable<Buffer> {
  const apiVersion = form === 'object' ? kind.apiVersion : `meta.k8s.io/${metaVersion}`;
  const listKind = { object: `${kind.definition.kind}List`, table: 'Table', metadata: 'PartialObjectMetadataList' }[
    form
  ];
  const columns =
    form === 'table'
      ? `"columnDefinitions":${JSON.stringify(columnDefinitions(kind.definition.strategy.columns))},`
      : '';
  const member = form === 'table' ? 'rows' : 'items';
  const encode = (entry: StoreEntry): Buffer => {
    const view = kind.view(entry.object);
    if (form === 'object') return bodyOf(view);
    const value =
      form === 'table' ? tableRow(kind, view, now, { metaVersion, includeObject }) : partialMetadata(view, metaVersion);
    return Buffer.from(JSON.stringify(value));
  };
  yield Buffer.from(
    `{"kind":"${listKind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(meta)},${columns}"${member}":[`,
  );
  const comma = Buffer.from(',');
  for (let start = 0; start < entries.length; start += itemsPerChunk) {
    const parts: Buffer[] = [];
    for (const entry of entries.slice(start, start + itemsPerChunk)) {
      if (start > 0 || parts.length > 0) parts.push(comma);
      parts.push(encode(entry));
    }
    yield Buffer.concat(parts);
  }
  yield Buffer.from(']}');
}
