import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measured } from './reflector/client.ts';
import { printTable } from './support/table.ts';

/**
 * Filling a cache of Pods of about 8 KB each from a local server: `npm run bench -- reflector [pods]`. Server and each way of listing run in
 * processes of their own, with and without a small young generation (`--max-semi-space-size`), which decides most of the memory.
 */
const pods = Number(process.argv[2] ?? 20_000);
/** Anchors for 20,000 Pods, pages of 500 from a real API server on the same two cores: JSON, protobuf. */
const ANCHOR_MS = { json: (2_600 * pods) / 20_000, protobuf: (1_200 * pods) / 20_000 };

function start(file: string, args: string[], execArgv: string[] = []): ChildProcess {
  const cache = fileURLToPath(new URL('../node_modules/.cache/slicewise', import.meta.url));
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv,
    env: { NODE_COMPILE_CACHE: cache, ...process.env },
  });
}

async function message<M>(child: ChildProcess): Promise<M> {
  const [value] = await once(child, 'message');
  return value as M;
}

async function measure(port: number, way: string, encoding: string, flags: string[]): Promise<Measured> {
  const client = start('./reflector/client.ts', [String(port), way, encoding], ['--expose-gc', ...flags]);
  const measured = await message<Measured>(client);
  await once(client, 'exit');
  if (measured.objects !== pods) throw new Error(`${way}, ${encoding}: ${measured.objects} objects, not ${pods}`);
  return measured;
}

const server = start('./reflector/server.ts', [String(pods)]);
const { port, jsonBytes, protobufBytes } = await message<{ port: number; jsonBytes: number; protobufBytes: number }>(
  server,
);
// Fills the compile cache, which the first process would pay for with memory.
await measure(port, 'pages', 'protobuf', []);
const rows: (string | number)[][] = [];
for (const flags of [[], ['--max-semi-space-size=4']]) {
  for (const encoding of ['json', 'protobuf'] as const) {
    for (const way of ['watch-list', 'pages']) {
      const m = await measure(port, way, encoding, flags);
      rows.push([
        way,
        encoding,
        flags.length > 0 ? '4 MB' : 'default',
        m.wallMs / 1000,
        m.wallMs / ANCHOR_MS[encoding],
        m.cpuMs / 1000,
        Math.round(m.peakRssMb),
        Math.round(m.heapMb),
        m.longestTurnMs,
      ]);
    }
  }
}
printTable(
  `${pods} Pods of ${Math.round(jsonBytes / pods)} bytes of JSON, ${Math.round(protobufBytes / pods)} of protobuf`,
  ['way', 'encoding', 'semi-space', 'wall s', 'of anchor', 'CPU s', 'peak RSS MB', 'heap MB', 'longest turn ms'],
  rows,
);
server.disconnect();
