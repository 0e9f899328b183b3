import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The differences that docs/differences.md declares for the controller, by the first cell of their row. */
export const ROWS = {
  nodes: 'Node appears or changes zone',
  'slice-repair': 'slice edited or deleted by hand',
  'slice-labels': 'service-name or managed-by label of a slice changed',
  retries: 'sync that keeps failing',
  'retry-after': 'failure that names a time to come back (`Retry-After`)',
  recycling: 'recycled slice',
  deleting: 'deleting a slice',
  recreated: 'Service deleted and recreated under its name',
  'lost-write': 'own write that the cache never shows, as when somebody deletes a new slice while the watch is down',
  'stale-cache': 'sync that finds the cache behind our own last write',
  'pod-phase': 'Pod goes Failed or Succeeded',
  'pod-without-address': 'Pod without address, or that ran to its end',
  'terminating-pod': 'update of a terminating Pod',
  'invalid-addresses': 'address that the API server refuses (loopback, link-local, unspecified, no address at all)',
  'hint-restore': 'hints `Auto` when node information is complete again, or shares change',
  'node-cpu': 'CPU or role of a node changes',
  'hint-warnings': 'warning that hints are impossible',
  'hints-not-ready': 'endpoint that is not ready',
  'auto-node-hints': 'hints to nodes under hints `Auto`',
  'hints-zoneless': 'hints `Auto` with an endpoint without zone',
  'hints-no-share': 'hints `Auto` in a zone without ready nodes',
  'hints-at-start': 'hints `Auto` right after a start',
  'hint-rounding': 'rounding of hints `Auto` leaves a zone above its most and another below its least',
  'event-length': 'message of an Event',
  abandoned: 'Service loses its selector or becomes an ExternalName',
  gauges: 'gauges of endpoints and slices',
  sparse: 'slices thinned out by scaling down',
  'write-order': 'order of writes',
  'recycled-contents': 'slices recycled after a change of ports',
  'trigger-time': 'trigger time of a sync that fails',
  'early-event': 'own write seen by the watch before its answer',
  'first-list': 'first list of slices',
  batching: "immediate change of a Service whose Pods' changes are being gathered",
  'port-order': 'order of ports in a slice',
  'headless-label': 'label of headless Services that a slice lacks or should not have',
  standbys: 'replicas that wait for the lease',
  'lease-looks': 'looks at the lease',
  'lost-lease': 'end of a leader that loses its lease',
  'write-limits': '`--kube-api-qps`, `--kube-api-burst`',
  'lease-name': '`--leader-elect-resource-name`',
  serving: '`--secure-port`',
} as const;

export type RowId = keyof typeof ROWS;

/** Rows that no scenario shows, and why. */
export const NOT_SHOWN: Partial<Record<RowId, string>> = {
  retries: 'upstream gives up after nine hours',
  'retry-after': 'the API server would have to be overloaded',
  deleting: 'somebody would have to write between a read and a delete',
  'lost-write': 'a watch would have to be down for a moment',
  'stale-cache': 'the same is written, only sooner',
  'pod-without-address': 'concerns syncs that write nothing',
  'terminating-pod': 'concerns syncs that write nothing',
  'hints-at-start': 'a race at upstream',
  gauges: 'shown by the pages of metrics',
  abandoned: "the default is upstream's way",
  sparse: "the default is upstream's way",
  'write-order': 'the slices come to be the same; that ours leaves no gap is shown apart',
  'recycled-contents': 'upstream deals at random, so only sizes are compared',
  'early-event': 'concerns syncs that write nothing',
  'first-list': 'concerns syncs that write nothing',
  batching: 'concerns syncs that write nothing',
  'port-order': 'ports are compared in no order',
  standbys: 'one process at a time is played to; shown in test/e2e/ha',
  'lease-looks': 'no lease in these scenarios; shown in test/kube/leader',
  'lost-lease': 'no lease in these scenarios; shown in test/e2e/ha',
  'write-limits': 'limits are lifted on both sides; shown in test/endpointslice and test/commands/controller',
  'lease-name': 'no lease in these scenarios',
  serving: 'pages are not compared; shown in test/commands/controller',
};

/** First cell -> whether a flag brings upstream's way back, as the document says. */
export function declaredRows(): Map<string, { flag: boolean }> {
  const file = join(import.meta.dirname, '..', '..', '..', 'docs', 'differences.md');
  const [section = ''] = readFileSync(file, 'utf8').split('\n## Controller\n')[1]?.split('\n## ') ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return new Map(
    rows.slice(2).map((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      return [cells[1] ?? '', { flag: (cells.at(-2) ?? '').includes('--like-upstream') }];
    }),
  );
}
