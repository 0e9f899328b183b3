import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
  type User,
} from '@kubernetes/client-node/dist/config_types.js';
import { KubeconfigError } from './errors.ts';
import { errorCode, isRecord, type JsonRecord, messageOf, singleLine } from './values.ts';

/** A user of a kubeconfig, with what client-node's reader does not take over. */
export interface KubeconfigUser {
  user: User;
  /** Absolute path of `users[].user.tokenFile`. */
  tokenFile: string | undefined;
  /** Where relative paths of this entry start. */
  directory: string;
}

/** One or several merged kubeconfig files. */
export interface Kubeconfig {
  files: string[];
  clusters: Map<string, Cluster>;
  users: Map<string, KubeconfigUser>;
  contexts: Map<string, Context>;
  currentContext: string | undefined;
}

/**
 * Reads and merges kubeconfig files as kubectl does: the first file that names an entry wins, and so does the first
 * `current-context`. With `skipMissing` (the KUBECONFIG variable) absent files are passed over.
 *
 * Only the small readers of @kubernetes/client-node are loaded: its `KubeConfig` class pulls in 2,500 generated models, 80 MB.
 *
 * @throws KubeconfigError naming the file and the line or field at fault.
 */
export async function readKubeconfig(files: readonly string[], skipMissing = false): Promise<Kubeconfig> {
  const merged: Kubeconfig = {
    files: [],
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    currentContext: undefined,
  };
  for (const file of files) {
    const text = await readText(file, skipMissing);
    if (text !== undefined) addFile(merged, file, parseDocument(file, text, await yamlParser(text)));
  }
  return merged;
}

async function readText(file: string, skipMissing: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (skipMissing && errorCode(cause) === 'ENOENT') return undefined;
    const why = errorCode(cause) === 'ENOENT' ? 'no such file' : errorCode(cause) || messageOf(cause);
    throw new KubeconfigError(`cannot read kubeconfig ${file}: ${why}`, { file, cause });
  }
}

/** A kubeconfig written as JSON (ours, and some cloud tools') needs no YAML parser in memory. */
async function yamlParser(text: string): Promise<(text: string) => unknown> {
  if (text.trimStart().startsWith('{')) return (json) => JSON.parse(json);
  const { parse } = await import('yaml');
  return (yaml) => parse(yaml);
}

function parseDocument(file: string, text: string, parse: (text: string) => unknown): JsonRecord {
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    const [firstLine = ''] = messageOf(cause).split('\n');
    throw new KubeconfigError(`kubeconfig ${file} is not valid YAML: ${singleLine(firstLine).replace(/:$/, '')}`, {
      file,
      cause,
    });
  }
  if (!isRecord(document)) throw new KubeconfigError(`kubeconfig ${file} is not a YAML mapping`, { file });
  if (document.kind !== undefined && document.kind !== 'Config') {
    throw new KubeconfigError(`kubeconfig ${file}: kind is ${JSON.stringify(document.kind)}, not "Config"`, {
      file,
      field: 'kind',
    });
  }
  return document;
}

function addFile(into: Kubeconfig, file: string, document: JsonRecord): void {
  const directory = dirname(resolve(file));
  const absolute = (path: string | undefined) => (path ? resolve(directory, path) : undefined);
  into.files.push(file);
  for (const cluster of entries(file, document, 'clusters', newClusters)) {
    const caFile = absolute(cluster.caFile);
    if (!into.clusters.has(cluster.name)) into.clusters.set(cluster.name, { ...cluster, ...(caFile && { caFile }) });
  }
  const rawUsers = Array.isArray(document.users) ? document.users : [];
  for (const [index, user] of entries(file, document, 'users', newUsers).entries()) {
    const raw: unknown = rawUsers[index];
    const fields = isRecord(raw) && isRecord(raw.user) ? raw.user : {};
    const certFile = absolute(user.certFile);
    const keyFile = absolute(user.keyFile);
    if (into.users.has(user.name)) continue;
    into.users.set(user.name, {
      user: { ...user, ...(certFile && { certFile }), ...(keyFile && { keyFile }) },
      tokenFile: typeof fields.tokenFile === 'string' ? absolute(fields.tokenFile) : undefined,
      directory,
    });
  }
  for (const context of entries(file, document, 'contexts', newContexts)) {
    if (!into.contexts.has(context.name)) into.contexts.set(context.name, context);
  }
  const current = document['current-context'];
  if (typeof current === 'string' && current !== '') into.currentContext ??= current;
}

function entries<E>(file: string, document: JsonRecord, field: string, read: (list: unknown) => E[]): E[] {
  const list = document[field];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new KubeconfigError(`kubeconfig ${file}: ${field} is not a list`, { file, field });
  const bad = list.findIndex((entry) => !isRecord(entry));
  if (bad >= 0) {
    throw new KubeconfigError(`kubeconfig ${file}: ${field}[${bad}] is not a mapping`, {
      file,
      field: `${field}[${bad}]`,
    });
  }
  try {
    return read(list);
  } catch (cause) {
    // client-node's readers say which field is missing: `clusters[0].cluster.server is missing`.
    const message = messageOf(cause);
    throw new KubeconfigError(`kubeconfig ${file}: ${singleLine(message)}`, {
      file,
      field: message.split(' ')[0],
      cause,
    });
  }
}
