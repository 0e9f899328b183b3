import type { EndpointSlice } from '../../objects/endpointslice.ts';
import type { Service } from '../../objects/service.ts';
import { ChangeTracker } from '../../proxy/change-tracker.ts';
import { DEFAULT_FEATURE_GATES, masqueradeMark, type ProxyRulesConfig } from '../../proxy/config-types.ts';
import { computeDesired, emptyDesired } from '../../proxy/iptables/desired.ts';
import { renderDesired } from '../../proxy/iptables/render.ts';
import { savedForm } from '../../proxy/iptables/saved-form.ts';
import type { NodeAddresses, Topology } from '../hosts/topology.ts';

/** The IPv4 rules that a proxier would write on a node, in the form in which iptables-save would print them. Pure. */
export function computedRules(
  topology: Topology,
  node: NodeAddresses,
  objects: { services: Iterable<Service>; slices: Iterable<EndpointSlice> },
): string {
  const config: ProxyRulesConfig = {
    ipFamily: 'IPv4',
    nodeName: node.name,
    nodeIP: node.ipv4,
    zone: node.zone,
    masqueradeAll: false,
    masqueradeMark: masqueradeMark(14),
    localDetector: { mode: 'ClusterCIDR', value: topology.clusterCIDR },
    localhostNodePorts: true,
    nodePortAddresses: [],
    nodeAddresses: [],
    randomFully: true,
    conntrackTCPLiberal: false,
    nfacctCounters: { ctStateInvalidDropped: false, localhostNodePortsAccepted: false },
    featureGates: DEFAULT_FEATURE_GATES,
  };
  const tracker = new ChangeTracker({ ipFamily: 'IPv4', nodeName: node.name, startTime: 0 });
  for (const service of objects.services) tracker.onService(undefined, service);
  for (const slice of objects.slices) tracker.onSlice(undefined, slice);
  const { desired } = computeDesired(emptyDesired(config), tracker.take());
  return renderDesired(desired)
    .split('\n')
    .map((line) =>
      line.replace(/^(-A \S+) (.*)$/, (_, head: string, rule: string) => `${head} ${savedForm(rule, 'IPv4')}`),
    )
    .join('\n');
}
