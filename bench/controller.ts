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
import { printColdStarts, printFlips } from './controller/report.ts';
import { SliceObserver } from './controller/slice-observer.ts';
import { ANCHOR_SHAPE, type ClusterShape } from './support/cluster.ts';

/**
 * The EndpointSlice controller under load: cold start until every Service has its slice, then readiness flips at fixed rates; for each
 * number of namespaces on an API server of its own. With KUBEBUILDER_ASSETS that is a real one, and kube-controller-manager, if it is
 * there, is measured in the same run. `--only` takes beginnings of names, with commas.
 */
const { values } = parseArgs({
  options: {
    services: { type: 'string', default: String(ANCHOR_SHAPE.services) },
    namespaces: { type: 'string', default: '5,1' },
    workers: { type: 'string', default: '5' },
    rates: { type: 'string', default: '100,200' },
    seconds: { type: 'string', default: '10' },
    warmup: { type: 'string', default: '1000' },
    repeat: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
const rounds = { rates: numbers(values.rates), secondsEach: Number(values.seconds), warmUp: Number(values.warmup) };
const only = values.only.split(',');
const assets = process.env.KUBEBUILDER_ASSETS;

const began = performance.now();
const say = (line: string) => {
  process.stderr.write(`${String(Math.round((performance.now() - began) / 1000)).padStart(4)} s  ${line}\n`);
};

for (const namespaces of numbers(values.namespaces)) {
  const shape: ClusterShape = { ...ANCHOR_SHAPE, services: Number(values.services), namespaces };
  const results = await measureAll(shape);
  printColdStarts(shape, results);
  printFlips(shape, results);
}
say('done');

async function measureAll(shape: ClusterShape): Promise<Result[]> {
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
    const what = `${shape.services} Services x ${shape.podsPerService} Pods in ${shape.namespaces} namespaces`;
    say(`${assets === undefined ? 'embedded' : 'real'} API server; creating ${what}`);
    await fillCluster(client, shape);
    const observer = new SliceObserver(client);
    await observer.start();
    const wanted = candidates(assets, shape, numbers(values.workers)).filter(({ name }) =>
      only.some((beginning) => name.startsWith(beginning)),
    );
    const results: Result[] = [];
    for (let i = 0; i < Number(values.repeat); i++) {
      for (const candidate of wanted) {
        say(`measuring ${candidate.name}`);
        results.push(await measure({ client, observer, shape, kubeconfig, folder }, candidate, rounds));
      }
    }
    await observer.stop();
    await client.close();
    return results;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
