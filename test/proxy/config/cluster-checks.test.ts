import { describe, expect, it } from 'vitest';
import { type ClusterInputs, checkAgainstCluster } from '../../../src/proxy/config/cluster-checks.ts';
import { loadFile } from './support.ts';

const unset =
  'nodePortAddresses is unset; NodePort connections will be accepted on all local IPs. Consider using `--nodeport-addresses primary`';

function check(body: string, inputs: Partial<ClusterInputs> = {}) {
  return checkAgainstCluster({
    config: loadFile(body).config,
    nodePortCIDRs: ['192.168.0.0/16'],
    podCIDRs: [],
    primaryFamily: 'IPv4',
    dualStack: true,
    ...inputs,
  });
}

describe('a configuration beside the cluster it is for', () => {
  it('is not complained of when it fits', () => {
    expect(check('clusterCIDR: 10.0.0.0/8')).toEqual({ warnings: [] });
  });

  it.each<[string, string, Partial<ClusterInputs>, string]>([
    ['open NodePorts', '', { nodePortCIDRs: [] }, unset],
    [
      'NodePorts limited for one family of two',
      'clusterCIDR: 10.0.0.0/8,fd00::/8',
      {},
      'cluster appears to be dual-stack but nodePortAddresses contains only IPv4 addresses; NodePort connections will be accepted on all local IPv6 IPs',
    ],
    [
      'NodePorts limited for the wrong family',
      '',
      { primaryFamily: 'IPv6' },
      'cluster appears to be IPv6-primary but nodePortAddresses contains only IPv4 addresses; NodePort connections will be accepted on all local IPv6 IPs',
    ],
    [
      'a cluster CIDR of the wrong family',
      'clusterCIDR: fd00::/8',
      {},
      'cluster is IPv4-primary but clusterCIDRs contains only IPv6 addresses',
    ],
    [
      'podCIDRs of the wrong family',
      '',
      { podCIDRs: ['fd00::/64'] },
      'cluster is IPv4-primary but node.spec.podCIDRs contains only IPv6 addresses',
    ],
    [
      'a status address of a family that the machine lacks',
      'healthzBindAddress: "[fd00::1]:10256"',
      { dualStack: false },
      'cluster is IPv4-only but healthzBindAddress is IPv6',
    ],
  ])('is warned of for %s', (_what, body, inputs, warning) => {
    expect(check(body, inputs)).toEqual({ warnings: [warning] });
  });

  it.each<[string, Partial<ClusterInputs>, string]>([
    [
      'clusterCIDR: fd00::/8',
      { dualStack: false },
      'cluster is IPv4-only but clusterCIDRs contains only IPv6 addresses',
    ],
    [
      'detectLocalMode: NodeCIDR',
      { podCIDRs: ['fd00::/64'] },
      'cluster is IPv4-primary but node.spec.podCIDRs contains only IPv6 addresses',
    ],
  ])('%s does not start where it cannot work', (body, inputs, fatal) => {
    expect(check(body, inputs)).toEqual({ warnings: [], fatal });
  });

  it('may listen on an unspecified address of the other family', () => {
    expect(check('healthzBindAddress: "[::]:10256"', { dualStack: false })).toEqual({ warnings: [] });
  });
});
