import { expect, test } from 'vitest';
import { silentLogger } from '../../src/observe/logger.ts';
import type { Exec } from '../../src/proxy/exec.ts';
import { FakeIptables } from '../../src/proxy/iptables/fake-iptables.ts';
import { removeRules } from '../../src/proxy/remove-rules.ts';
import { UserError } from '../../src/user-error.ts';

const OURS = '*nat\n:KUBE-SERVICES - [0:0]\n-A KUBE-SERVICES -d 10.0.0.1/32 -j ACCEPT\nCOMMIT\n';
const NONE = { IPv4: undefined, IPv6: undefined };
/** A machine without nft, or one whose nft says this. */
function machine(
  iptablesProblem: Record<'IPv4' | 'IPv6', string | undefined> = NONE,
  nft = 'No such file or directory',
) {
  const exec: Exec = async () => ({ exitCode: 1, stdout: '', stderr: nft });
  return { exec, support: { iptablesProblem }, logger: silentLogger };
}

async function setUp() {
  const iptables = { IPv4: new FakeIptables(), IPv6: new FakeIptables({ family: 'IPv6' }) };
  await iptables.IPv4.restore([OURS]);
  await iptables.IPv6.restore([OURS.replace('10.0.0.1/32', 'fd00::1/128')]);
  return iptables;
}

test('the rules of both families are removed', async () => {
  const iptables = await setUp();
  await removeRules(iptables, machine());
  expect([iptables.IPv4.dump(), iptables.IPv6.dump()]).toEqual(['', '']);
});

test('a family that the machine cannot do is left out', async () => {
  const iptables = await setUp();
  iptables.IPv6.calls.length = 0;
  await removeRules(iptables, machine({ ...NONE, IPv6: 'no ip6tables' }));
  expect(iptables.IPv4.dump()).toBe('');
  expect(iptables.IPv6.calls).toEqual([]);
});

test('a chain that a foreign rule holds is named, after the other family is done too', async () => {
  const iptables = await setUp();
  await iptables.IPv4.restore(['*nat\n:MINE - [0:0]\n-A MINE -j KUBE-SERVICES\nCOMMIT\n']);
  await expect(removeRules(iptables, machine())).rejects.toThrow(
    new UserError(
      'some chains could only be emptied, because foreign rules jump to them: nat/KUBE-SERVICES (from nat/MINE)',
    ),
  );
  expect(iptables.IPv6.dump()).toBe('');
});

test('all that had to stay is named, whatever else had to', async () => {
  const iptables = await setUp();
  await iptables.IPv4.restore(['*nat\n:MINE - [0:0]\n-A MINE -j KUBE-SERVICES\nCOMMIT\n']);
  await expect(removeRules(iptables, machine(NONE, 'Operation not permitted'))).rejects.toThrow(
    /^nftables table ip kube-proxy .*; nftables table ip6 kube-proxy .*; some chains .*: nat\/KUBE-SERVICES \(from nat\/MINE\)$/,
  );
});

test('tables of mode nftables that stay are named', async () => {
  const iptables = await setUp();
  await expect(removeRules(iptables, machine(NONE, 'Operation not permitted'))).rejects.toThrow(
    'nftables table ip kube-proxy could not be deleted: Operation not permitted',
  );
  expect(iptables.IPv4.dump()).toBe('');
});
