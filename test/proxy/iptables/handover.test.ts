import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createKernelLab } from '../../support/kernel-lab.ts';
import type { Handover } from './handover-world.ts';

const kubeProxy = join(process.env.KUBEBUILDER_ASSETS ?? '/nonexistent', 'kube-proxy');
const there = existsSync(kubeProxy);
if (!there) console.log('NOT TESTED: taking over from kube-proxy, because KUBEBUILDER_ASSETS does not hold it');

/** Rules by chain, without the nfacct parts that only kube-proxy can write, and without counters. */
function rules(save: string): string[] {
  return save
    .split('\n')
    .filter((line) => line.startsWith('-A '))
    .map((line) => line.replace(/ -m nfacct --nfacct-name +\S+/, ''))
    .filter((line) => !line.startsWith('-A KUBE-NODEPORTS -d 127.0.0.0/8'))
    .sort();
}

test.runIf(there)(
  'slicewise takes over from kube-proxy in place and hands back: the same chains and rules throughout',
  async () => {
    const lab = await createKernelLab();
    try {
      const world = new URL('./handover-world.ts', import.meta.url).pathname;
      const run = await lab.exec({ command: process.execPath, args: [world, kubeProxy], timeoutMs: 90_000 });
      expect(run.exitCode, run.stderr).toBe(0);
      const { saves, synced } = JSON.parse(run.stdout) as Handover;
      const [first = '', ours = '', last = ''] = saves;
      expect(rules(first).length).toBeGreaterThan(60);
      expect(rules(ours)).toEqual(rules(first));
      expect(rules(last)).toEqual(rules(first));
      // Only what names a counter, or stands in another order, is written anew; no chain of a Service is touched.
      expect(synced).toMatchObject({ kind: 'full', chainsRemoved: 0 });
      expect(synced.chainsWritten).toBeLessThanOrEqual(7);
      expect(synced).not.toHaveProperty('jumps');
    } finally {
      await lab.dispose();
    }
  },
  120_000,
);
