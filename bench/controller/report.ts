import type { ClusterShape } from '../support/cluster.ts';
import { type Cell, printTable } from '../support/table.ts';
import type { Result } from './measure.ts';

/** kube-controller-manager 1.36.2 in ../shared/anchors.md, for runs without it. */
const ANCHOR_WALL = 10.3;
const ANCHOR_RSS = 571;

/** The result to compare with: of the candidate whose name begins so, with as many workers, in the same turn. */
function peerOf(results: readonly Result[], result: Result, name: string): Result | undefined {
  const same = (other: Result) => other.candidate.workers === result.candidate.workers;
  const turn = results.filter((r) => r.candidate.name === result.candidate.name).indexOf(result);
  return results.filter((r) => r.candidate.name.startsWith(name) && same(r))[turn];
}

const upstreamOf = (results: readonly Result[], result: Result) => peerOf(results, result, 'kube-controller-manager');
const floorOf = (results: readonly Result[], result: Result) => peerOf(results, result, 'floor');

export function printColdStarts(shape: ClusterShape, results: readonly Result[]): void {
  const measured = results.some(({ candidate }) => candidate.name.startsWith('kube-controller-manager'));
  printTable(
    `Cold start: ${shape.services} Services x ${shape.podsPerService} Pods in ${shape.namespaces} namespaces ` +
      `(upstream: ${measured ? 'same run' : 'anchor'})`,
    [
      'controller',
      'wall s',
      '/ upstream',
      '/ floor',
      'first write s',
      'CPU s',
      '/ upstream',
      'peak RSS MB',
      '/ upstream',
      'with flips',
      '/ upstream',
    ],
    results.map((result): Cell[] => {
      const { candidate, cold, peakMegabytes } = result;
      const upstream = upstreamOf(results, result);
      return [
        candidate.name,
        cold.wallSeconds,
        cold.wallSeconds / (upstream?.cold.wallSeconds ?? ANCHOR_WALL),
        cold.wallSeconds / (floorOf(results, result)?.cold.wallSeconds ?? Number.NaN),
        cold.firstWriteSeconds,
        cold.cpuSeconds,
        cold.cpuSeconds / (upstream?.cold.cpuSeconds ?? Number.NaN),
        cold.peakMegabytes,
        cold.peakMegabytes / (upstream?.cold.peakMegabytes ?? ANCHOR_RSS),
        peakMegabytes,
        peakMegabytes / (upstream?.peakMegabytes ?? ANCHOR_RSS),
      ];
    }),
  );
}

export function printFlips(shape: ClusterShape, results: readonly Result[]): void {
  printTable(
    `Readiness flips in ${shape.namespaces} namespaces: Pod status acknowledged -> slice seen by a watcher`,
    ['controller', 'flips/s', 'flips', 'p50 ms', 'p99 ms', 'unseen after 5 s', 'CPU ms/flip', '/ upstream', '/ floor'],
    results.flatMap((result) =>
      result.flips.map((flip, i): Cell[] => [
        result.candidate.name,
        flip.perSecond,
        flip.count,
        flip.p50,
        flip.p99,
        flip.unseen,
        flip.cpuMillisecondsPerFlip,
        flip.cpuMillisecondsPerFlip / (upstreamOf(results, result)?.flips[i]?.cpuMillisecondsPerFlip ?? Number.NaN),
        flip.cpuMillisecondsPerFlip / (floorOf(results, result)?.flips[i]?.cpuMillisecondsPerFlip ?? Number.NaN),
      ]),
    ),
  );
}
