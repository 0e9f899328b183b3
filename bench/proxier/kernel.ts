import { execFileSync } from 'node:child_process';
import { realClock } from '../../src/clock.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { ChangeTracker } from '../../src/proxy/change-tracker.ts';
import { DEFAULT_FEATURE_GATES } from '../../src/proxy/config-types.ts';
import { realExec } from '../../src/proxy/exec.ts';
import { RuleApplier } from '../../src/proxy/iptables/apply.ts';
import { binaryNames, type IptablesBackend, parseVersion } from '../../src/proxy/iptables/backend.ts';
import { computeDesired, type DesiredState, emptyDesired } from '../../src/proxy/iptables/desired.ts';
import { planFull } from '../../src/proxy/iptables/full-plan.ts';
import { nothingKnown } from '../../src/proxy/iptables/kernel-scan.ts';
import { renderDesired } from '../../src/proxy/iptables/render.ts';
import { RealIptables } from '../../src/proxy/iptables/runner.ts';
import { inProcesses } from '../../src/proxy/iptables/section-sizes.ts';
import { JUMP_RULES } from '../../src/proxy/iptables/static-rules.ts';
import { planText } from '../../src/proxy/iptables/write-plan.ts';
import { ANCHOR_SHAPE, makeService, makeSlice } from '../support/cluster.ts';
import { staleFlows } from './stale-flows.ts';

/** What one step took: bare `iptables-restore` of the same rules, and ours with everything from the change to the kernel. */
export interface KernelMeasured {
  step: string;
  floorMs: number;
  oursMs: number;
}

const [backendName, servicesText = '2000', podsText = '10'] = process.argv.slice(2);
const backend = backendName as IptablesBackend;
const shape = { ...ANCHOR_SHAPE, services: Number(servicesText), podsPerService: Number(podsText) };
const names = binaryNames('IPv4', backend);
const info = parseVersion(execFileSync(names.command, ['--version'], { encoding: 'utf8' }));
const iptables = new RealIptables(realExec, 'IPv4', names, info);
const ROUNDS = 9;

const config = {
  ipFamily: 'IPv4' as const,
  nodeName: 'node-000',
  nodeIP: '172.18.0.2',
  zone: '',
  masqueradeAll: false,
  masqueradeMark: '0x00004000',
  localDetector: { mode: 'ClusterCIDR' as const, value: '10.128.0.0/9' },
  localhostNodePorts: true,
  nodePortAddresses: [],
  nodeAddresses: [],
  randomFully: true,
  conntrackTCPLiberal: false,
  nfacctCounters: { ctStateInvalidDropped: false, localhostNodePortsAccepted: false },
  featureGates: DEFAULT_FEATURE_GATES,
};

const tracker = new ChangeTracker({ ipFamily: 'IPv4', nodeName: config.nodeName, startTime: 0 });
const slices: EndpointSlice[] = [];
for (let i = 0; i < shape.services; i++) {
  const slice = makeSlice(shape, i);
  slices.push(slice);
  tracker.onService(undefined, makeService(shape, i));
  tracker.onSlice(undefined, slice);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function timed(fn: () => unknown): Promise<number> {
  const start = performance.now();
  await fn();
  return performance.now() - start;
}

const bare = (text: string) =>
  timed(() => execFileSync(names.restore, ['-w', '5', '--noflush', '--counters'], { input: text }));
const joined = (pieces: Iterable<string>) => [...pieces].join('');

/** A slice with one endpoint less, or whole again. */
function flipped(index: number, gone: boolean): EndpointSlice {
  const slice = slices[index] ?? makeSlice(shape, index);
  return { ...slice, endpoints: gone ? slice.endpoints.slice(1) : slice.endpoints };
}

function clearTables(): void {
  for (const table of ['nat', 'filter']) {
    execFileSync(names.command, ['-t', table, '-F']);
    execFileSync(names.command, ['-t', table, '-X']);
  }
}

let state: DesiredState = emptyDesired(config);
const results: KernelMeasured[] = [];

// First sync. The floor is the best way we know to feed the same rules to iptables-restore on this backend.
state = computeDesired(state, tracker.take());
const rounds = shape.services > 2000 ? 1 : 3;
const floorFirst: number[] = [];
for (const sequence of backend === 'nft' ? nftSequences(state.desired) : [[renderDesired(state.desired)]]) {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    clearTables();
    times.push(
      await timed(async () => {
        for (const text of sequence) await bare(text);
      }),
    );
  }
  floorFirst.push(median(times));
}
const oursFirst: number[] = [];
let applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
for (let i = 0; i < rounds; i++) {
  clearTables();
  applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
  const fresh = new ChangeTracker({ ipFamily: 'IPv4', nodeName: config.nodeName, startTime: 0 });
  for (let s = 0; s < shape.services; s++) {
    fresh.onService(undefined, makeService(shape, s));
    fresh.onSlice(undefined, slices[s]);
  }
  oursFirst.push(
    await timed(async () => {
      state = computeDesired(emptyDesired(config), fresh.take());
      await applier.apply(state.desired);
    }),
  );
}
results.push({ step: 'first sync', floorMs: Math.min(...floorFirst), oursMs: median(oursFirst) });

/** The same rules in small sections from one process, and in small, our and large ones from several: a text for each process. */
function nftSequences(desired: DesiredState['desired']): string[][] {
  const quiet = {
    ...nothingKnown(desired),
    missingJumps: JUMP_RULES.filter((j) => j.to !== 'KUBE-FIREWALL'),
    reached: false,
  };
  const small = planFull(quiet, desired, 'IPv4', 'nft', 1_500);
  const ours = planFull(quiet, desired, 'IPv4', 'nft');
  const large = planFull({ ...quiet, reached: true }, desired, 'IPv4', 'nft', 5_000);
  const several = [small, ours, large].map((plan) => inProcesses(plan, 'nft').map((part) => joined(planText(part))));
  return [[joined(planText(small))], ...several];
}

/** Text that writes all chains of some Services, and nothing else: what changing them costs on this table at least. */
function chainsOf(indexes: number[]): string {
  const wanted = new Set(
    indexes.map((i) => `${makeService(shape, i).metadata.namespace}/${makeService(shape, i).metadata.name}`),
  );
  const declared: string[] = [];
  const rules: string[] = [];
  for (const entry of state.desired.services.values()) {
    if (!wanted.has(entry.service)) continue;
    for (const [chain, list] of entry.chains) {
      declared.push(`:${chain} - [0:0]\n`);
      for (const rule of list) rules.push(`-A ${chain} ${rule}\n`);
    }
  }
  return `*nat\n${declared.join('')}${rules.join('')}COMMIT\n`;
}

async function change(apply: () => void): Promise<number> {
  return timed(async () => {
    apply();
    state = computeDesired(state, tracker.take());
    await applier.apply(state.desired);
  });
}

const mid = Math.floor(shape.services / 2);
const flips: number[] = [];
const floors: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  const gone = i % 2 === 0;
  floors.push(await bare(chainsOf([mid])));
  flips.push(await change(() => tracker.onSlice(flipped(mid, !gone), flipped(mid, gone))));
}
results.push({ step: 'one endpoint flips', floorMs: median(floors), oursMs: median(flips) });

const added: number[] = [];
const removed: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  removed.push(
    await change(() => {
      tracker.onService(makeService(shape, mid), undefined);
      tracker.onSlice(flipped(mid, false), undefined);
    }),
  );
  added.push(
    await change(() => {
      tracker.onService(undefined, makeService(shape, mid));
      tracker.onSlice(undefined, flipped(mid, false));
    }),
  );
}
const one = chainsOf([mid]);
const floorOne = median(await repeat(ROUNDS, () => bare(one)));
results.push({ step: 'a Service goes', floorMs: floorOne, oursMs: median(removed) });
results.push({ step: 'a Service comes', floorMs: floorOne, oursMs: median(added) });

const many = Array.from({ length: Math.min(1000, shape.services) }, (_, i) => i);
const bulk = await change(() => {
  for (const i of many) tracker.onSlice(flipped(i, false), flipped(i, true));
});
const bulkFloor = await bare(sectionsOf(many));
results.push({ step: `${many.length} endpoints flip at once`, floorMs: bulkFloor, oursMs: bulk });

// A restart finds all in place; the floor is reading it.
const restarted = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
const saveMs = median(await repeat(3, () => timed(() => execFileSync(names.save, { maxBuffer: 1 << 30 }))));
results.push({
  step: 'restart, all in place',
  floorMs: saveMs,
  oursMs: await timed(() => restarted.apply(state.desired)),
});
const checked = median(await repeat(3, () => timed(() => restarted.check())));
results.push({ step: 'check for drift', floorMs: saveMs, oursMs: checked });

/** As `chainsOf`, cut small on nft, where one large section is quadratic. */
function sectionsOf(indexes: number[]): string {
  if (backend === 'legacy') return chainsOf(indexes);
  const parts: string[] = [];
  for (let i = 0; i < indexes.length; i += 25) parts.push(chainsOf(indexes.slice(i, i + 25)));
  return parts.join('');
}

async function repeat(times: number, fn: () => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(await fn());
  return all;
}

if (backend === 'nft') results.push(...(await staleFlows()));
process.stdout.write(`${JSON.stringify(results)}\n`);
