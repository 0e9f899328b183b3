import type { IncomingMessage } from 'node:http';
import { type DocumentOptions, type ParseOptions, parse as parseYaml, type SchemaOptions } from 'yaml';
import { isRecord, type JsonRecord } from './json.ts';
import { decodeProtobuf } from './protobuf/decode.ts';
import { badRequest, StatusError } from './status.ts';

/** The real server's `--max-request-body-bytes`. */
const largestBody = 3 * 1024 * 1024;

/** @throws StatusError 413 */
export async function readBody(message: IncomingMessage): Promise<Buffer> {
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
  return Buffer.concat(parts);
}

/** The media type of a request without its parameters. */
export function mediaType(message: IncomingMessage): string {
  return (message.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/**
 * Decodes a JSON, YAML or protobuf body.
 * @param what the kind that the body must be, for messages
 * @throws StatusError 415 on another media type, 400 on a body that is not valid
 */
export function decodeBody(body: Buffer, type: string, what: string): JsonRecord {
  if (type === 'application/vnd.kubernetes.protobuf') return parseProtobuf(body, what);
  if (type !== '' && type !== 'application/json' && type !== 'application/yaml') throw unsupportedMediaType();
  const text = body.toString('utf8');
  const value = type === 'application/yaml' ? parseAnyYaml(text) : parseJson(text, what);
  if (!isRecord(value)) {
    throw unrecognized(what, `couldn't get version/kind; json parse error: the body is not an object (${brief(text)})`);
  }
  return value;
}

function parseProtobuf(body: Buffer, what: string): JsonRecord {
  try {
    return decodeProtobuf(body);
  } catch (error) {
    if (error instanceof RangeError) throw unrecognized(what, error.message);
    throw error;
  }
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

/** The real server reads YAML 1.1 (`y` and `on` are true), but neither its timestamps nor its base 60 numbers. */
const yamlOptions: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  customTags: (tags) =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        (tag.tag !== 'tag:yaml.org,2002:timestamp' && !('format' in tag && tag.format === 'TIME')),
    ),
};

export function parseAnyYaml(text: string): unknown {
  try {
    return text.trimStart().startsWith('{') ? JSON.parse(text) : parseYaml(text, yamlOptions);
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
