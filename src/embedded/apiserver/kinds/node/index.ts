import type { KindDefinition, RawObject } from '../../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from '../columns.ts';
import { decoderOf } from '../schema/decode.ts';
import { keepSpec, keepStatus, strategyOf } from '../strategy.ts';
import { asNode, type NodeObject, type NodeSpec } from './types.ts';
import { validateNodeChange, validateNodeSpec } from './validate.ts';

export const nodeKind: KindDefinition = {
  group: '',
  version: 'v1',
  plural: 'nodes',
  singular: 'node',
  kind: 'Node',
  namespaced: false,
  shortNames: ['no'],
  categories: [],
  subresources: ['status'],
  decode: decoderOf('V1Node'),
  strategy: strategyOf('V1Node', {
    prepareForCreate: (object) => taintAsNotReady(asNode(object).spec),
    setDefaults(object) {
      const { spec, status } = asNode(object);
      alignPodCIDRs(spec);
      if (status.capacity) status.allocatable ??= { ...status.capacity };
    },
    validate: (object) => validateNodeSpec(asNode(object).spec),
    prepareForUpdate(object, before, subresource) {
      if (subresource === 'status') keepSpec(object, before);
      else keepStatus(object, before);
    },
    validateUpdate: (object, before) => [
      ...validateNodeSpec(asNode(object).spec),
      ...validateNodeChange(asNode(object).spec, asNode(before).spec),
    ],
    columns: [
      nameColumn,
      column('Status', 'Whether the node is ready, and whether new Pods may go there.'),
      column('Roles', 'Roles that labels give the node.'),
      ageColumn,
      column('Version', "The kubelet's version."),
      column('Internal-IP', 'First address inside the cluster.', 1),
      column('External-IP', 'First address outside the cluster.', 1),
      column('OS-Image', 'Operating system.', 1),
      column('Kernel-Version', 'Kernel.', 1),
      column('Container-Runtime', 'Container runtime and its version.', 1),
    ],
    row(object, now) {
      const node = asNode(object);
      const { nodeInfo } = node.status;
      return [
        nameCell(object),
        statusCell(node),
        roles(object),
        ageCell(object, now),
        nodeInfo.kubeletVersion,
        addressOf(node, 'InternalIP'),
        addressOf(node, 'ExternalIP'),
        nodeInfo.osImage || '<unknown>',
        nodeInfo.kernelVersion || '<unknown>',
        nodeInfo.containerRuntimeVersion || '<unknown>',
      ];
    },
    selectableFields: { 'spec.unschedulable': (object) => String(asNode(object).spec.unschedulable ?? false) },
  }),
};

/** The admission plugin TaintNodesByCondition keeps Pods away until something says that the node is ready. */
function taintAsNotReady(spec: NodeSpec): void {
  const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
  const taints = spec.taints ?? [];
  if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect)) return;
  spec.taints = [...taints, taint];
}

/** `podCIDR` and `podCIDRs[0]` are one field in two spellings; `podCIDR` wins. */
function alignPodCIDRs(spec: NodeSpec): void {
  const [first] = spec.podCIDRs ?? [];
  if (!spec.podCIDR) {
    if (first) spec.podCIDR = first;
  } else if (spec.podCIDR !== first) spec.podCIDRs = [spec.podCIDR];
}

function statusCell({ spec, status }: NodeObject): string {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const word = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return spec.unschedulable ? `${word},SchedulingDisabled` : word;
}

const rolePrefix = 'node-role.kubernetes.io/';

function roles({ metadata }: RawObject): string {
  const names = new Set<string>();
  for (const [label, value] of Object.entries(metadata.labels ?? {})) {
    if (label.startsWith(rolePrefix) && label !== rolePrefix) names.add(label.slice(rolePrefix.length));
    else if (label === 'kubernetes.io/role' && value !== '') names.add(value);
  }
  return [...names].sort().join(',') || '<none>';
}

function addressOf({ status }: NodeObject, type: string): string {
  return status.addresses?.find((address) => address.type === type)?.address ?? '<none>';
}
