import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderKubeconfig } from '../src/embedded/apiserver/kubeconfig.ts';
import { createKubeClient } from '../src/kube/http-client.ts';
import { loadClusterAccess } from '../src/kube/kubeconfig.ts';
import { silentLogger } from '../src/observe/logger.ts';
import { startRealApiServer } from '../test/support/real-apiserver.ts';
import { candidates } from './controller/candidates.ts';
import { fillCluster } from './controller/load.ts';
import { measure, type Result } from './controller/measure.ts';
import { SliceObserver } from './controller/slice-observer.ts';
import { ANCHOR_SHAPE, type ClusterShape } from './support/cluster.ts';
import { type Cell, printTable } from './support/table.ts';

/**
 * The EndpointSlice controller under load: cold start until every Service has its slice, then readiness flips at fixed rates. With
 * KUBEBUILDER_ASSETS the API server is a real one, and kube-controller-manager, if it is there, is measured in the same run.
 */
const { values } = parseArgs({
  options: {
    services: { type: 'string', default: String(ANCHOR_SHAPE.services) },
    namespaces: { type: 'string', default: String(ANCHOR_SHAPE.namespaces) },
    rates: { type: 'string', default: '50,100,200' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
  },
});
const shape: ClusterShape = {
  ...ANCHOR_SHAPE,
  services: Number(values.services),
  namespaces: Number(values.namespaces),
};
const rates = values.rates.split(',').filter(Boolean).map(Number);
const assets = process.env.KUBEBUILDER_ASSETS;

/** kube-controller-manager 1.36.2 in ../shared/anchors.md, for runs without it. */
const ANCHOR_WALL = 10.3;
const ANCHOR_RSS = 571;

const say = (line: string) => process.stderr.write(`${line}\n`);
const server =
  assets === undefined
    ? await (await import('../src/embedded/apiserver/server.ts')).startApiServer()
    : await startRealApiServer(assets);
const folder = mkdtempSync(join(tmpdir(), 'slicewise-bench-'));
try {
  const kubeconfig = join(folder, 'kubeconfig');
  const { url, caData, token } = server;
  writeFileSync(kubeconfig, renderKubeconfig({ server: url, caData, token }), { mode: 0o600 });
  const access = await loadClusterAccess({ kubeconfig });
  const client = createKubeClient(access, { userAgent: 'slicewise-bench', logger: silentLogger, timeoutMs: 120_000 });
  say(
    `${assets === undefined ? 'embedded' : 'real'} API server; creating ${shape.services} Services x ${shape.podsPerService} Pods`,
  );
  await fillCluster(client, shape);
  const observer = new SliceObserver(client);
  await observer.start();
  const results: Result[] = [];
  for (const candidate of candidates(assets, shape).filter((c) => c.name.includes(values.only))) {
    say(`measuring ${candidate.name}`);
    results.push(
      await measure({ client, observer, shape, kubeconfig, folder }, candidate, rates, Number(values.seconds)),
    );
  }
  report(results);
  await observer.stop();
  await client.close();
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** The upstream controller with as many workers. */
function upstreamOf(results: Result[], { candidate }: Result): Result | undefined {
  return results.find(
    ({ candidate: { name, workers } }) => name.startsWith('kube-controller-manager') && workers === candidate.workers,
  );
}

function report(results: Result[]): void {
  const measured = results.some(({ candidate }) => candidate.name.startsWith('kube-controller-manager'));
  printTable(
    `Cold start: ${shape.services} Services x ${shape.podsPerService} Pods in ${shape.namespaces} namespaces ` +
      `(ratios to ${measured ? 'upstream, same run' : 'anchor'})`,
    ['controller', 'wall s', 'ratio', 'first write s', 'CPU s', 'peak RSS MB', 'ratio'],
    results.map((result): Cell[] => {
      const { candidate, cold } = result;
      const base = upstreamOf(results, result)?.cold;
      return [
        candidate.name,
        cold.wallSeconds,
        cold.wallSeconds / (base?.wallSeconds ?? ANCHOR_WALL),
        cold.firstWriteSeconds,
        cold.cpuSeconds,
        cold.peakMegabytes,
        cold.peakMegabytes / (base?.peakMegabytes ?? ANCHOR_RSS),
      ];
    }),
  );
  printTable(
    'Readiness flips: Pod status acknowledged -> slice seen by a watcher',
    ['controller', 'flips/s', 'flips', 'p50 ms', 'p99 ms', 'unseen after 5 s', 'CPU ms/flip', 'ratio'],
    results.flatMap((result) =>
      result.flips.map((f, i): Cell[] => [
        result.candidate.name,
        f.perSecond,
        f.count,
        f.p50,
        f.p99,
        f.unseen,
        f.cpuMillisecondsPerFlip,
        f.cpuMillisecondsPerFlip / (upstreamOf(results, result)?.flips[i]?.cpuMillisecondsPerFlip ?? Number.NaN),
      ]),
    ),
  );
}
