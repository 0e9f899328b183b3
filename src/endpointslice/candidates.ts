import type { Node } from '../objects/node.ts';
import type { Pod } from '../objects/pod.ts';
import { type PodAddresses, podAddresses, uncheckedPodAddresses } from './addresses.ts';
import { isCandidate } from './endpoint.ts';
import type { PlanInput } from './plan.ts';
import { type PortGroup, PortResolver } from './ports.ts';

/** A Pod that may become endpoints, with everything about it that does not depend on the address type. */
export interface Candidate {
  pod: Pod;
  group: PortGroup;
  node: Node | undefined;
  addresses: PodAddresses;
  /** Its node is not known, so that it must be left out; its ports count all the same. */
  leftOut: boolean;
}

export interface Candidates {
  list: Candidate[];
  /** One for each Pod left out. */
  errors: string[];
  /** `POD: ADDRESS (why)`. */
  invalidAddresses: string[];
}

export function findCandidates({ service, pods, node: lookUp, options }: PlanInput): Candidates {
  const found: Candidates = { list: [], errors: [], invalidAddresses: [] };
  const resolver = new PortResolver(service);
  const addressesOf = options.skipInvalidAddresses ? podAddresses : uncheckedPodAddresses;
  for (const pod of pods) {
    if (!isCandidate(pod)) continue;
    const { nodeName } = pod.spec;
    const node = nodeName ? lookUp(nodeName) : undefined;
    const leftOut = node === undefined && service.spec.publishNotReadyAddresses !== true;
    const { name, namespace } = service.metadata;
    if (leftOut) {
      found.errors.push(
        `skipping Pod ${pod.metadata.name} for Service ${namespace}/${name}: Node ${nodeName ?? ''} Not Found`,
      );
    }
    const addresses = addressesOf(pod);
    for (const invalid of addresses.invalid) found.invalidAddresses.push(`${pod.metadata.name}: ${invalid}`);
    found.list.push({ pod, group: resolver.resolve(pod), node, addresses, leftOut });
  }
  return found;
}
