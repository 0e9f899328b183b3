import { describe, expect, it } from 'vitest';
import { adminPath, checkPrerequisites, type Probe } from '../../../src/embedded/hosts/prerequisites.ts';

function probe(changes: Partial<Probe> = {}): Probe & { tried: string[][] } {
  const tried: string[][] = [];
  return {
    tried,
    platform: 'linux',
    uid: 0,
    hasCommand: () => true,
    ...changes,
    tryUnshare(args) {
      tried.push(args);
      return changes.tryUnshare?.(args);
    },
  };
}

const inUserNamespace = (args: string[]) => args.includes('--user');

describe('checkPrerequisites', () => {
  it('uses no user namespace as root', () => {
    const root = probe();
    const ability = checkPrerequisites(root);
    expect(ability.able && inUserNamespace(ability.unshare)).toBe(false);
    expect(root.tried).toHaveLength(1);
  });

  it('uses a user namespace as anybody else', () => {
    const ability = checkPrerequisites(probe({ uid: 1000 }));
    expect(ability.able && inUserNamespace(ability.unshare)).toBe(true);
  });

  it('tries a user namespace as a root who may not unshare without, as in some containers', () => {
    const ability = checkPrerequisites(
      probe({ tryUnshare: (args) => (inUserNamespace(args) ? undefined : 'unshare failed: Operation not permitted') }),
    );
    expect(ability.able && inUserNamespace(ability.unshare)).toBe(true);
  });

  it('says why namespaces cannot be made, in words of the first attempt', () => {
    const ability = checkPrerequisites(probe({ tryUnshare: (args) => `failure ${args.length}` }));
    expect(ability).toMatchObject({ able: false, reason: 'namespaces cannot be made here: failure 6' });
  });

  it('names the missing commands and the one apt-get line that brings them', () => {
    const missing = new Set(['ip', 'iptables', 'iptables-save']);
    expect(checkPrerequisites(probe({ hasCommand: (name) => !missing.has(name) }))).toEqual({
      able: false,
      reason: 'not found: ip, iptables, iptables-save',
      aptPackages: ['iproute2', 'iptables'],
      remedy: 'apt-get install -y iproute2 iptables',
    });
  });

  it('does not look for commands on other systems than Linux', () => {
    const ability = checkPrerequisites(
      probe({
        platform: 'darwin',
        hasCommand: () => {
          throw new Error('looked');
        },
      }),
    );
    expect(ability).toMatchObject({ able: false, reason: 'network namespaces need Linux; this is darwin' });
  });
});

describe('adminPath', () => {
  it('adds the directories of ip and iptables, which plain users lack, once', () => {
    expect(adminPath('/usr/bin:/sbin')).toBe('/usr/bin:/sbin:/usr/sbin:/usr/local/sbin');
  });
});
