import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { isRecord, type JsonRecord } from './json.ts';
import type { ServedKind } from './registry.ts';
import { badRequest, StatusError } from './status.ts';

/** The real server's `--max-request-body-bytes`. */
const largestBody = 3 * 1024 * 1024;

export async function readBody(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > largestBody) {
      const text = `Request entity too large: limit is ${largestBody}`;
      throw new StatusError(413, 'RequestEntityTooLarge', text);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The media type of a request without its parameters. */
export function mediaType(message: IncomingMessage): string {
  return (message.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/**
 * Decodes a JSON or YAML body.
 * @param what the kind that the body must be, for messages; the kind of the resource when absent
 * @throws StatusError 415 on another media type, 400 on a text that is not valid
 */
export function decodeBody(text: string, type: string, kind: ServedKind, what?: string): JsonRecord {
  if (type !== '' && type !== 'application/json' && type !== 'application/yaml') throw unsupportedMediaType();
  const name = what ?? kind.definition.kind;
  const value = type === 'application/yaml' ? parseAnyYaml(text) : parseJson(text, name);
  if (!isRecord(value)) {
    throw unrecognized(name, `couldn't get version/kind; json parse error: the body is not an object (${brief(text)})`);
  }
  return value;
}

function parseJson(text: string, kind: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why} (${brief(text)})`);
  }
}

function unrecognized(kind: string, why: string): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`);
}

function brief(text: string): string {
  return text === '' ? '<empty>' : text.slice(0, 64);
}

export function parseAnyYaml(text: string): unknown {
  try {
    return text.trimStart().startsWith('{') ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${why}`);
  }
}

export function unsupportedMediaType(
  accepted = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}
