import type { ServerResponse } from 'node:http';
import type { Status, StatusError } from './status.ts';

const common = { 'Cache-Control': 'no-cache, private' };

export function sendJson(response: ServerResponse, code: number, body: unknown): void {
  sendBuffers(response, code, [Buffer.from(JSON.stringify(body))]);
}

export function sendBuffers(
  response: ServerResponse,
  code: number,
  parts: Buffer[],
  contentType = 'application/json',
): void {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  response.writeHead(code, { ...common, 'Content-Type': contentType, 'Content-Length': length });
  for (const part of parts) response.write(part);
  response.end();
}

export function sendText(response: ServerResponse, code: number, text: string): void {
  sendBuffers(response, code, [Buffer.from(text)], 'text/plain; charset=utf-8');
}

export function sendError(response: ServerResponse, error: StatusError): void {
  const { details } = error.status;
  if (details?.retryAfterSeconds) response.setHeader('Retry-After', String(details.retryAfterSeconds));
  sendJson(response, error.code, error.status satisfies Status);
}

/** Sends a long answer piece by piece, at the pace at which the client reads. */
export async function sendChunks(
  response: ServerResponse,
  contentType: string,
  chunks: Iterable<Buffer>,
): Promise<void> {
  response.writeHead(200, { ...common, 'Content-Type': contentType });
  for (const chunk of chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await writable(response);
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }
  response.end();
}

function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
