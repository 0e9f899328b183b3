import { describe, expect, test } from 'vitest';
import type { FamilySupportInputs } from '../../src/proxy/ip-families.ts';
import type { NodeFacts } from '../../src/proxy/node.ts';
import { planStart } from '../../src/proxy/start-plan.ts';
import { loadFile } from './config/support.ts';

const BOTH: FamilySupportInputs = {
  iptablesProblem: { IPv4: undefined, IPv6: undefined },
  hasIPv6Interfaces: true,
  disableIPv6: '0',
};
const NODE: NodeFacts = { hostIPs: ['192.168.0.2', 'fd00::2'], podCIDRs: ['10.1.0.0/24'], zone: '' };

function plan(body: string, facts: Partial<NodeFacts> = {}, support: FamilySupportInputs = BOTH) {
  return planStart(loadFile(body).config, { ...NODE, ...facts }, support);
}

describe('what to run on a node', () => {
  test('is one proxier for each family that the machine can do, the primary one of the Node first', () => {
    expect(plan('').settings.map(({ ipFamily, nodeIP }) => [ipFamily, nodeIP])).toEqual([
      ['IPv4', '192.168.0.2'],
      ['IPv6', 'fd00::2'],
    ]);
    expect(plan('', { hostIPs: ['fd00::2'] }).families).toEqual(['IPv6', 'IPv4']);
  });

  test('leaves out a family that the machine lacks, with a note', () => {
    const { families, notes } = plan('', {}, { ...BOTH, hasIPv6Interfaces: false });
    expect(families).toEqual(['IPv4']);
    expect(notes).toEqual(['no IPv6: the kernel has no IPv6 (/proc/net/if_inet6 is missing)']);
  });

  test('comes with doubts about the address and about what does not fit the cluster', () => {
    expect(plan('clusterCIDR: 10.0.0.0/8', { hostIPs: [] }).warnings).toEqual([
      "this node's address is not known, 127.0.0.1 is assumed; --bind-address sets it",
      expect.stringContaining('nodePortAddresses is unset'),
    ]);
  });

  test('is nothing when the configuration is for the other family, or the machine lacks the primary one', () => {
    const alone = { ...BOTH, hasIPv6Interfaces: false };
    expect(plan('clusterCIDR: fd00::/8\ndetectLocalMode: ClusterCIDR', {}, alone).fatal).toContain(
      'only IPv6 addresses',
    );
    expect(plan('clusterCIDR: 10.0.0.0/8').fatal).toBeUndefined();
    expect(() => plan('', { hostIPs: ['fd00::2'] }, alone)).toThrow("no support for the node's primary IP family IPv6");
  });
});
