import { afterAll, describe, expect, it } from 'vitest';
import { type Exec, ExecError } from '../../src/proxy/exec.ts';
import { removeNftablesLeftovers } from '../../src/proxy/nftables-leftovers.ts';
import { createKernelLab, type KernelLab } from '../support/kernel-lab.ts';

const answering =
  (exitCode: number, stderr: string): Exec =>
  async () => ({ exitCode, stdout: '', stderr });

describe('what kube-proxy in mode nftables left', () => {
  it.each([
    ['is removed', answering(0, ''), { removed: ['ip kube-proxy', 'ip6 kube-proxy'], problems: [] }],
    ['is nothing', answering(1, 'Error: No such file or directory\ndelete table'), { removed: [], problems: [] }],
    [
      'cannot be removed',
      answering(1, 'Error: Could not process rule: Operation not permitted\ndelete table'),
      {
        removed: [],
        problems: ['ip', 'ip6'].map(
          (family) =>
            `nftables table ${family} kube-proxy could not be deleted: Error: Could not process rule: Operation not permitted`,
        ),
      },
    ],
    [
      'is left alone without the program nft',
      async () => {
        throw new ExecError('NOT_FOUND', 'nft', 'nft is not installed');
      },
      { removed: [], problems: [] },
    ],
  ])('%s', async (_what, exec: Exec, expected) => {
    expect(await removeNftablesLeftovers(exec)).toEqual(expected);
  });
});

let lab: KernelLab | undefined;
try {
  lab = await createKernelLab();
  await lab.run('nft', 'list', 'tables');
} catch (error) {
  await lab?.dispose();
  lab = undefined;
  console.log(`NOT TESTED: nftables leftovers in a real kernel: ${error instanceof Error ? error.message : error}`);
}
afterAll(() => lab?.dispose());

describe.runIf(lab !== undefined)('in a real kernel', () => {
  it("kube-proxy's tables go and others stay", async () => {
    if (!lab) throw new Error('no namespace');
    for (const table of ['ip kube-proxy', 'ip6 kube-proxy', 'ip other', 'inet kube-proxy']) {
      await lab.run('nft', 'add', 'table', ...table.split(' '));
    }
    await lab.run('nft', 'add', 'chain', 'ip', 'kube-proxy', 'services');
    expect(await removeNftablesLeftovers(lab.exec)).toEqual({
      removed: ['ip kube-proxy', 'ip6 kube-proxy'],
      problems: [],
    });
    expect(await lab.run('nft', 'list', 'tables')).toBe('table ip other\ntable inet kube-proxy\n');
    expect(await removeNftablesLeftovers(lab.exec)).toEqual({ removed: [], problems: [] });
  });
});
