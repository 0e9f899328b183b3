import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measured } from './reflector/client.ts';

/**
 * Filling a cache of Pods of about 8 KB each from a local server: `node bench/reflector.ts [pods]`. Server and each way of listing run in
 * processes of their own. Anchor for 20,000 Pods on two cores (API server included): JSON pages 2.6 s and 173-222 MB.
 */
const pods = Number(process.argv[2] ?? 20_000);
const ANCHOR_MS = (2_600 * pods) / 20_000;

function start(file: string, args: string[], execArgv: string[] = []): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv });
}

async function message<M>(child: ChildProcess): Promise<M> {
  const [value] = await once(child, 'message');
  return value as M;
}

const server = start('./reflector/server.ts', [String(pods)]);
const { port, bytes } = await message<{ port: number; bytes: number }>(server);
console.log(`${pods} Pods, ${Math.round(bytes / pods)} bytes each, ${Math.round(bytes / 1e6)} MB in all\n`);
console.log('way         wall s   of anchor   CPU s   peak RSS MB   RSS MB   heap MB   longest block ms');
for (const way of ['watch-list', 'pages']) {
  const client = start('./reflector/client.ts', [String(port), way], ['--expose-gc']);
  const m = await message<Measured>(client);
  await once(client, 'exit');
  if (m.objects !== pods) throw new Error(`${way}: ${m.objects} objects, not ${pods}`);
  const cells = [
    (m.wallMs / 1000).toFixed(2).padStart(6),
    (m.wallMs / ANCHOR_MS).toFixed(2).padStart(11),
    (m.cpuMs / 1000).toFixed(2).padStart(7),
    m.peakRssMb.toFixed(0).padStart(13),
    m.rssMb.toFixed(0).padStart(8),
    m.heapMb.toFixed(0).padStart(9),
    m.longestBlockMs.toFixed(0).padStart(18),
  ];
  console.log(`${way.padEnd(12)}${cells.join(' ')}`);
}
server.disconnect();
