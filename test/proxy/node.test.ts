import { describe, expect, it } from 'vitest';
import type { Node, NodeAddress } from '../../src/objects/node.ts';
import { chooseNodeIPs, NO_NODE, nodeChange, nodeFacts, nodeIPsWarning, nodeName } from '../../src/proxy/node.ts';

const internal = (address: string): NodeAddress => ({ type: 'InternalIP', address });
const external = (address: string): NodeAddress => ({ type: 'ExternalIP', address });

function node(addresses: NodeAddress[], more: Partial<Node['spec']> = {}, labels: Record<string, string> = {}): Node {
  return { metadata: { name: 'n1', labels }, spec: more, status: { addresses } };
}

describe("a node's own addresses", () => {
  it.each<[string, NodeAddress[], string[]]>([
    ['an InternalIP', [internal('10.0.0.1')], ['10.0.0.1']],
    ['the first InternalIP of two', [internal('10.0.0.1'), internal('10.0.0.2')], ['10.0.0.1']],
    [
      'one of each family, in the order of the list',
      [internal('fd00::1'), internal('10.0.0.1')],
      ['fd00::1', '10.0.0.1'],
    ],
    [
      'an InternalIP before an ExternalIP that is listed first',
      [external('1.1.1.1'), internal('10.0.0.1')],
      ['10.0.0.1'],
    ],
    ['an ExternalIP of the other family', [internal('10.0.0.1'), external('2001:db8::1')], ['10.0.0.1', '2001:db8::1']],
    ['an ExternalIP alone', [external('1.1.1.1')], ['1.1.1.1']],
    ['leading zeros', [internal('010.0.0.01')], ['10.0.0.1']],
    ['nothing for a hostname', [{ type: 'Hostname', address: 'n1' }], []],
    ['nothing for what is no address', [internal('n1.example')], []],
  ])('are %s', (_what, addresses, expected) => {
    expect(nodeFacts(node(addresses)).hostIPs).toEqual(expected);
  });

  it('come with pod CIDRs and zone, and are empty without a Node', () => {
    const found = node([internal('10.0.0.1')], { podCIDRs: ['10.1.0.0/24'] }, { 'topology.kubernetes.io/zone': 'a' });
    expect(nodeFacts(found)).toEqual({ hostIPs: ['10.0.0.1'], podCIDRs: ['10.1.0.0/24'], zone: 'a' });
    expect(nodeFacts(undefined)).toEqual(NO_NODE);
  });
});

describe('the addresses that a proxier takes for its node', () => {
  it.each([
    [['10.0.0.1'], '0.0.0.0', 'IPv4', { IPv4: '10.0.0.1', IPv6: '::1' }],
    [['fd00::1', '10.0.0.1'], '0.0.0.0', 'IPv6', { IPv4: '10.0.0.1', IPv6: 'fd00::1' }],
    [[], '0.0.0.0', 'IPv4', { IPv4: '127.0.0.1', IPv6: '::1' }],
    [[], '::', 'IPv4', { IPv4: '127.0.0.1', IPv6: '::1' }],
    [['10.0.0.1', 'fd00::1'], '10.9.9.9', 'IPv4', { IPv4: '10.9.9.9', IPv6: 'fd00::1' }],
    [['10.0.0.1', 'fd00::1'], 'fd00::9', 'IPv6', { IPv4: '10.0.0.1', IPv6: 'fd00::9' }],
    [[], '010.9.9.9', 'IPv4', { IPv4: '10.9.9.9', IPv6: '::1' }],
  ])('with %j and bindAddress %s are of primary family %s', (hostIPs, bind, primaryFamily, ips) => {
    expect(chooseNodeIPs(hostIPs, bind)).toEqual({ primaryFamily, ips });
  });

  it('are warned of when they are a guess', () => {
    expect(nodeIPsWarning(chooseNodeIPs([], '0.0.0.0'))).toBe(
      "this node's address is not known, 127.0.0.1 is assumed; --bind-address sets it",
    );
    expect(nodeIPsWarning(chooseNodeIPs(['10.0.0.1'], '0.0.0.0'))).toBeUndefined();
  });
});

describe("the node's name", () => {
  it.each([
    ['', 'Host.Example', 'host.example'],
    [' Node-1 ', 'host', 'node-1'],
    ['', 'host\n', 'host'],
  ])('configured %j on host %j is %s', (override, hostname, expected) => {
    expect(nodeName(override, hostname)).toBe(expected);
  });

  it('is asked for when there is none', () => {
    expect(() => nodeName('', '')).toThrow('--hostname-override');
  });
});

describe('a change of the Node', () => {
  const before = { hostIPs: ['10.0.0.1'], podCIDRs: ['10.1.0.0/24'], zone: 'a' };

  it('that changes nothing of interest leads to nothing', () => {
    expect(nodeChange(before, { ...before }, 'NodeCIDR')).toEqual({ notes: [] });
  });

  it('of its zone is handed on', () => {
    expect(nodeChange(before, { ...before, zone: '' }, 'ClusterCIDR')).toEqual({ notes: [], zone: '' });
  });

  it('of its addresses is only logged', () => {
    expect(nodeChange(before, { ...before, hostIPs: ['10.0.0.2', 'fd00::1'] }, 'ClusterCIDR')).toEqual({
      notes: ["the node's addresses changed from 10.0.0.1 to 10.0.0.2, fd00::1"],
    });
  });

  it('of its podCIDRs ends the process, in mode NodeCIDR only', () => {
    const after = { ...before, podCIDRs: [] };
    const exit = "the node's podCIDRs changed from 10.1.0.0/24 to none";
    expect(nodeChange(before, after, 'NodeCIDR')).toEqual({ notes: [], exit });
    expect(nodeChange(before, after, 'ClusterCIDR')).toEqual({ notes: [] });
  });
});
