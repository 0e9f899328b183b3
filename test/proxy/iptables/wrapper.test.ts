import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKernelLab, type KernelLab } from '../../support/kernel-lab.ts';

const wrapper = join(import.meta.dirname, '..', '..', '..', 'src', 'iptables-wrapper.ts');

describe('plain iptables in the image of the proxier', () => {
  let folder = '';
  let lab: KernelLab;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-wrapper-'));
    for (const name of ['iptables', 'ip6tables', 'iptables-save', 'iptables-restore'])
      await symlink(wrapper, join(folder, name));
    lab = await createKernelLab();
  });
  afterEach(async () => {
    await lab.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** As the first line of the wrapper has it, but with the Node of this machine. */
  const plain = (name: string, ...args: string[]) =>
    lab.run(process.execPath, '--disable-warning=ExperimentalWarning', join(folder, name), ...args);

  it('is the variant that holds more rules', async () => {
    await lab.run('iptables-legacy', '-A', 'INPUT', '-j', 'ACCEPT');
    expect(await plain('iptables', '--version')).toContain('(legacy)');
    expect(await plain('iptables-save', '-t', 'filter')).toContain('-A INPUT -j ACCEPT');
    await lab.run('iptables-nft', '-A', 'INPUT', '-j', 'DROP');
    await lab.run('ip6tables-nft', '-A', 'INPUT', '-j', 'DROP');
    expect(await plain('ip6tables', '--version')).toContain('(nf_tables)');
  });

  it("is the variant with kubelet's hint, whatever the other holds", async () => {
    await lab.run('iptables-nft', '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT');
    await lab.run('iptables-legacy', '-A', 'INPUT', '-j', 'ACCEPT');
    expect(await plain('iptables-save')).toContain(':KUBE-IPTABLES-HINT');
  });

  it('hands on standard input, arguments and the exit status', async () => {
    const node = { command: process.execPath, timeoutMs: 20_000 };
    const args = ['--disable-warning=ExperimentalWarning', join(folder, 'iptables-restore'), '--noflush'];
    const good = await lab.exec({ ...node, args, stdin: ['*filter\n-A INPUT -j DROP\nCOMMIT\n'] });
    expect(good).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await lab.run('iptables-nft-save', '-t', 'filter')).toContain('-A INPUT -j DROP');
    const bad = await lab.exec({ ...node, args, stdin: ['nonsense\n'] });
    expect(bad.exitCode).not.toBe(0);
    expect(bad.stderr).toContain('line 1');
  });

  it('says in one line when it is called by another name', async () => {
    const args = ['--disable-warning=ExperimentalWarning', wrapper];
    expect(await lab.exec({ command: process.execPath, args, timeoutMs: 20_000 })).toMatchObject({
      exitCode: 1,
      stderr:
        'iptables-wrapper: "iptables-wrapper.ts" is not a name of iptables: it is iptables or ip6tables, -save, -restore or neither\n',
    });
  });
});
