import type { Node, NodeAddress } from '../../objects/node.ts';
import { decodeNode } from '../proto/nodes.ts';
import type { Resource } from '../resource.ts';
import { isRecord } from '../values.ts';
import { intern } from './intern.ts';
import { list, projectMeta, record, strings } from './meta.ts';

export const NODES: Resource<Node> = {
  group: '',
  version: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
  project: projectNode,
  decode: decodeNode,
};

type Taint = { key: string; value?: string; effect?: string };

function projectNode(raw: unknown): Node {
  const metadata = projectMeta(raw, 'Node');
  const from = record(raw);
  return { metadata, spec: projectSpec(record(from.spec)), status: projectStatus(record(from.status)) };
}

function projectSpec(from: Record<string, unknown>): Node['spec'] {
  const spec: Node['spec'] = {};
  if (typeof from.podCIDR === 'string' && from.podCIDR !== '') spec.podCIDR = from.podCIDR;
  const podCIDRs = strings(from.podCIDRs);
  if (podCIDRs) spec.podCIDRs = podCIDRs;
  if (from.unschedulable === true) spec.unschedulable = true;
  const taints = list(from.taints).flatMap(projectTaint);
  if (taints.length > 0) spec.taints = taints;
  return spec;
}

function projectTaint(raw: unknown): Taint[] {
  if (!isRecord(raw) || typeof raw.key !== 'string') return [];
  const taint: Taint = { key: intern(raw.key) };
  if (typeof raw.value === 'string') taint.value = raw.value;
  if (typeof raw.effect === 'string') taint.effect = intern(raw.effect);
  return [taint];
}

function projectStatus(from: Record<string, unknown>): Node['status'] {
  const status: Node['status'] = {};
  const addresses = list(from.addresses).flatMap((entry): NodeAddress[] =>
    isRecord(entry) && typeof entry.type === 'string' && typeof entry.address === 'string'
      ? [{ type: intern(entry.type), address: entry.address }]
      : [],
  );
  if (addresses.length > 0) status.addresses = addresses;
  const { cpu } = record(from.allocatable);
  if (typeof cpu === 'string') status.allocatable = { cpu: intern(cpu) };
  // The API prints a quantity as a string, but a hand-written object may hold a bare number.
  if (typeof cpu === 'number') status.allocatable = { cpu: String(cpu) };
  for (const raw of list(from.conditions)) {
    if (!isRecord(raw) || raw.type !== 'Ready') continue;
    status.conditions = [{ type: 'Ready', status: typeof raw.status === 'string' ? intern(raw.status) : 'Unknown' }];
  }
  return status;
}
