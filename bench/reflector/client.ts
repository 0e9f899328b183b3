import { createKubeClient } from '../../src/kube/http-client.ts';
import { loadClusterAccess } from '../../src/kube/kubeconfig.ts';
import { PODS } from '../../src/kube/projections.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { TurnMeter } from '../support/turn-meter.ts';

/** What one way of filling the cache costs, in this process. */
export interface Measured {
  objects: number;
  wallMs: number;
  cpuMs: number;
  /** The most resident memory so far, and what is left of the heap after a collection. */
  peakRssMb: number;
  rssMb: number;
  heapMb: number;
  /** CPU time of the longest turn of the event loop. */
  longestTurnMs: number;
}

/** Run with the server's port, `watch-list` or `pages`, and `json` or `protobuf`; sends a `Measured` to the parent. */
const [port, way, encoding] = process.argv.slice(2);
const { decode: _, ...jsonPods } = PODS;
const access = await loadClusterAccess({ master: `http://127.0.0.1:${port}`, env: { HOME: '/nonexistent' } });
const client = createKubeClient(access, { userAgent: 'bench', logger: silentLogger });
await client.request({ method: 'GET', path: '/warm', query: { limit: 1 } });

const meter = new TurnMeter();
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
const reflector = new Reflector({
  client,
  resource: encoding === 'protobuf' ? PODS : jsonPods,
  logger: silentLogger,
  watchList: way === 'watch-list',
  indexers: { node: (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []) },
});
let adds = 0;
reflector.addHandler({ onAdd: () => adds++, onUpdate: () => {}, onDelete: () => {} });
reflector.start();
await reflector.synced;
const wallMs = performance.now() - startedAt;
const cpu = process.cpuUsage(cpuBefore);
const longestTurnMs = meter.stop();
globalThis.gc?.();
const { rss, heapUsed } = process.memoryUsage();
const measured: Measured = {
  objects: adds,
  wallMs,
  cpuMs: (cpu.user + cpu.system) / 1000,
  peakRssMb: process.resourceUsage().maxRSS / 1000,
  rssMb: rss / 1e6,
  heapMb: heapUsed / 1e6,
  longestTurnMs,
};
process.send?.(measured);
await reflector.stop();
await client.close();
process.disconnect?.();
