import { describe, expect, test } from 'vitest';
import { type Exec, ExecError } from '../../../src/proxy/exec.ts';
import {
  atLeast,
  type BackendProbes,
  chooseBackend,
  detectBackend,
  parseVersion,
  restoreWaitArgs,
  supportsRandomFully,
  variantInUse,
  waitArgs,
} from '../../../src/proxy/iptables/backend.ts';
import { variantProgram } from '../../../src/proxy/iptables/variant-program.ts';

describe('iptables versions', () => {
  test('the backend stands in parentheses, and releases before 1.8 are legacy', () => {
    expect(parseVersion('iptables v1.8.9 (nf_tables)\n')).toEqual({ backend: 'nft', version: '1.8.9' });
    expect(parseVersion('ip6tables v1.8.11 (legacy)')).toEqual({ backend: 'legacy', version: '1.8.11' });
    expect(parseVersion('iptables v1.6.1')).toEqual({ backend: 'legacy', version: '1.6.1' });
    expect(() => parseVersion('iptables: nothing')).toThrow('"iptables: nothing" has no iptables version in it');
  });

  test('versions compare by number, not by text', () => {
    expect(atLeast('1.8.11', '1.8.9')).toBe(true);
    expect(atLeast('1.6', '1.6.2')).toBe(false);
    expect(atLeast('1.6.2', '1.6.2')).toBe(true);
  });

  test.each([
    ['1.4.19', [], [], false],
    ['1.4.20', ['-w'], [], false],
    ['1.4.22', ['-w', '5'], [], false],
    ['1.6.2', ['-w', '5'], ['-w', '5'], true],
    ['1.8.9', ['-w', '5'], ['-w', '5'], true],
  ])('%s knows the lock options and --random-fully that came up to it', (version, wait, restoreWait, randomFully) => {
    expect(waitArgs(version)).toEqual(wait);
    expect(restoreWaitArgs(version)).toEqual(restoreWait);
    expect(supportsRandomFully(version)).toBe(randomFully);
  });
});

describe('choosing a backend', () => {
  const probe = (rules: number, kubeletHint = false) => ({ rules, kubeletHint });
  const none: BackendProbes = { nft: undefined, legacy: undefined, plain: undefined };

  test.each<[string, 'auto' | 'nft' | 'legacy', BackendProbes, string | undefined]>([
    ['nothing installed', 'auto', none, undefined],
    ["kubelet's hint beats rule counts", 'auto', { nft: probe(0, true), legacy: probe(50), plain: 'legacy' }, 'nft'],
    ["kubelet's hint on legacy", 'auto', { nft: probe(50), legacy: probe(1, true), plain: 'nft' }, 'legacy'],
    ['no hint: more rules win', 'auto', { nft: probe(3), legacy: probe(50), plain: 'nft' }, 'legacy'],
    ['a tie: plain iptables decides', 'auto', { nft: probe(0), legacy: probe(0), plain: 'legacy' }, 'legacy'],
    ['only plain iptables is there', 'auto', { ...none, plain: 'legacy' }, 'legacy'],
    ['asked for and there', 'legacy', { nft: probe(9), legacy: probe(0), plain: 'nft' }, 'legacy'],
    ['asked for and only plain', 'nft', { ...none, plain: 'nft' }, 'nft'],
    ['asked for and absent', 'legacy', { nft: probe(0), legacy: undefined, plain: 'nft' }, undefined],
  ])('%s', (_what, requested, probes, backend) => {
    expect(chooseBackend(requested, probes)?.backend).toBe(backend);
  });

  test('a choice that is not what kubelet uses is reported, and so is a stale hint', () => {
    const probes = { nft: probe(0, true), legacy: probe(0), plain: 'nft' as const };
    expect(chooseBackend('legacy', probes)?.warning).toMatch(
      /kubelet uses iptables-nft, but iptables-legacy was asked for/,
    );
    expect(chooseBackend('nft', probes)?.warning).toBeUndefined();
    expect(chooseBackend('auto', { ...probes, legacy: probe(0, true) })?.warning).toMatch(/one of them is stale/);
  });
});

describe('detecting a backend', () => {
  function machine(outputs: Record<string, string>): Exec {
    return async ({ command, args, onStdout }) => {
      const stdout = outputs[[command, ...args].join(' ')];
      if (stdout === undefined) throw new ExecError('NOT_FOUND', command, `${command} is not installed`);
      onStdout?.(stdout);
      return { exitCode: 0, stdout: onStdout ? '' : stdout, stderr: '' };
    };
  }
  const both = {
    'iptables --version': 'iptables v1.8.9 (nf_tables)',
    'iptables-nft --version': 'iptables v1.8.9 (nf_tables)',
    'iptables-legacy --version': 'iptables v1.8.9 (legacy)',
    'iptables-nft-save': '*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n',
    'ip6tables-nft-save': '',
    'iptables-legacy-save': '*filter\n-A INPUT -j ACCEPT\nCOMMIT\n',
    'ip6tables-legacy-save': '',
  };

  test('names the programs of the variant that kubelet uses', async () => {
    expect(await detectBackend(machine(both), 'auto')).toMatchObject({
      backend: 'nft',
      version: '1.8.9',
      reason: "kubelet's hint",
      names: { IPv6: { command: 'ip6tables-nft', save: 'ip6tables-nft-save', restore: 'ip6tables-nft-restore' } },
    });
  });

  test('uses the plain programs where no variant is installed under its own name', async () => {
    const detected = await detectBackend(machine({ 'iptables --version': 'iptables v1.6.2' }), 'auto');
    expect(detected).toMatchObject({ backend: 'legacy', names: { IPv4: { restore: 'iptables-restore' } } });
  });

  test('a variant that may not be looked at matters only where kubelet has left no hint', async () => {
    const refusal = 'iptables-save v1.8.11 (legacy): Cannot initialize: Permission denied (you must be root)';
    const fenced = (outputs: Record<string, string>): Exec => {
      const exec = machine(outputs);
      return async (request) =>
        request.command === 'iptables-legacy-save'
          ? { exitCode: 1, stdout: '', stderr: `${refusal}\n` }
          : exec(request);
    };
    expect(await detectBackend(fenced(both), 'auto')).toMatchObject({ backend: 'nft', reason: "kubelet's hint" });
    const unhinted = fenced({ ...both, 'iptables-nft-save': '' });
    await expect(detectBackend(unhinted, 'auto')).rejects.toThrow(
      `cannot find out which iptables this node uses: kubelet has left no hint, and "${refusal}"; --iptables-backend names one`,
    );
    expect(await detectBackend(unhinted, 'nft')).toMatchObject({ backend: 'nft', reason: 'asked for' });
  });

  test('says what to install when there is none, and which variant is missing when there is another', async () => {
    await expect(detectBackend(machine({}), 'auto')).rejects.toThrow('apt-get install -y iptables');
    const { 'iptables-legacy --version': _, ...onlyNft } = both;
    await expect(detectBackend(machine(onlyNft), 'legacy')).rejects.toThrow(
      '--iptables-backend legacy: iptables-legacy is not installed (plain iptables is nft)',
    );
  });

  test('finds out which variant is in use without asking the plain iptables, which may be who asks', async () => {
    const asked: string[] = [];
    const watched = (outputs: Record<string, string>): Exec => {
      const exec = machine(outputs);
      return (request) => {
        asked.push(request.command);
        return exec(request);
      };
    };
    expect(await variantInUse(watched(both))).toBe('nft');
    expect(await variantInUse(watched({ ...both, 'iptables-nft-save': '' }))).toBe('legacy');
    expect(asked).not.toContain('iptables');
    await expect(variantInUse(machine({}))).rejects.toThrow('iptables is not installed');
  });
});

test('a plain name becomes the name of the variant', () => {
  expect(variantProgram('iptables', 'nft')).toBe('iptables-nft');
  expect(variantProgram('ip6tables-restore', 'legacy')).toBe('ip6tables-legacy-restore');
  for (const name of ['iptables-nft', 'ipset', 'iptables-apply', ''])
    expect(() => variantProgram(name, 'nft')).toThrow(`"${name}" is not a name of iptables`);
});
