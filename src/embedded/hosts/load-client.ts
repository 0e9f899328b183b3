/**
 * Asks one address many times, each time over a new connection, and prints one JSON `LoadResult`.
 * Usage: `load-client.ts ADDRESS PORT COUNT [CONCURRENCY] [TIMEOUT_MS]`.
 */
import { request } from 'node:http';
import type { LoadResult } from './load-result.ts';

const [address = '', port = '', count = '1', concurrency = '16', timeoutMs = '5000'] = process.argv.slice(2);

interface Answer {
  pod: string;
  client: string;
}

function ask(): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      // No agent: a connection of its own for each request, because the kernel chooses an endpoint per connection.
      { host: address, port: Number(port), agent: false, headers: { connection: 'close' } },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => {
          try {
            resolve(JSON.parse(body) as Answer);
          } catch (error) {
            reject(error);
          }
        });
        response.on('error', reject);
      },
    );
    outgoing.setTimeout(Number(timeoutMs), () => {
      outgoing.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const result: LoadResult = { requests: 0, pods: {}, clients: {}, errors: {}, totalMs: 0, slowestMs: 0 };

function tally(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

async function worker(): Promise<void> {
  while (result.requests < Number(count)) {
    result.requests++;
    const began = performance.now();
    try {
      const { pod, client } = await ask();
      tally(result.pods, pod);
      tally(result.clients, client);
    } catch (error) {
      tally(result.errors, error instanceof Error && 'code' in error ? String(error.code) : String(error));
    }
    result.slowestMs = Math.max(result.slowestMs, performance.now() - began);
  }
}

const began = performance.now();
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
result.totalMs = performance.now() - began;
process.stdout.write(`${JSON.stringify(result)}\n`);
