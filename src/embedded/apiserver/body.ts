import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { isRecord, type JsonRecord } from './json.ts';
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

/** @throws StatusError 415 on a media type that is neither JSON nor YAML, 400 on a text that is not valid. */
export function decodeBody(text: string, type: string): JsonRecord {
  if (type !== '' && type !== 'application/json' && type !== 'application/yaml') throw unsupportedMediaType();
  const value = type === 'application/yaml' ? parseAnyYaml(text) : parseJson(text);
  if (!isRecord(value)) throw badRequest('the request body is not an object');
  return value;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${String(error)}`);
  }
}

export function parseAnyYaml(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${String(error)}`);
  }
}

export function unsupportedMediaType(
  accepted = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'],
): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}
