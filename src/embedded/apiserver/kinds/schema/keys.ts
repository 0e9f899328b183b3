import { type Model, modelOf, type ValueType } from './models.ts';

interface Keys {
  /** Strategic merge patch: the merge key, `''` for a set of primitives; absent: the list is replaced. */
  merge?: string;
  /** Server-side apply, where it differs: the keys, `['']` for a set of primitives, `[]` for atomic. */
  apply?: string[];
}

/**
 * `Model.field` -> how patches merge it (the `x-kubernetes-patch-merge-key`, `-list-map-keys` and `-list-type` marks of the
 * OpenAPI description of Kubernetes 1.36). Lists not named here are atomic.
 */
const fieldKeys: Record<string, Keys> = {
  'V1Container.env': { merge: 'name' },
  'V1Container.ports': { merge: 'containerPort', apply: ['containerPort', 'protocol'] },
  'V1Container.volumeDevices': { merge: 'devicePath' },
  'V1Container.volumeMounts': { merge: 'mountPath' },
  'V1ContainerRestartRuleOnExitCodes.values': { apply: [''] },
  'V1ContainerStatus.allocatedResourcesStatus': { merge: 'name' },
  'V1ContainerStatus.volumeMounts': { merge: 'mountPath' },
  'V1DeploymentStatus.conditions': { merge: 'type' },
  'V1Endpoint.addresses': { apply: [''] },
  'V1EphemeralContainer.env': { merge: 'name' },
  'V1EphemeralContainer.ports': { merge: 'containerPort', apply: ['containerPort', 'protocol'] },
  'V1EphemeralContainer.volumeDevices': { merge: 'devicePath' },
  'V1EphemeralContainer.volumeMounts': { merge: 'mountPath' },
  'V1NamespaceStatus.conditions': { merge: 'type' },
  'V1NodeAllocatableResourceClaimStatus.containers': { apply: [''] },
  'V1NodeSpec.podCIDRs': { merge: '' },
  'V1NodeStatus.addresses': { merge: 'type' },
  'V1NodeStatus.conditions': { merge: 'type' },
  'V1ObjectMeta.finalizers': { merge: '' },
  'V1ObjectMeta.ownerReferences': { merge: 'uid' },
  'V1PodSpec.containers': { merge: 'name' },
  'V1PodSpec.ephemeralContainers': { merge: 'name' },
  'V1PodSpec.hostAliases': { merge: 'ip' },
  'V1PodSpec.imagePullSecrets': { merge: 'name' },
  'V1PodSpec.initContainers': { merge: 'name' },
  'V1PodSpec.nodeSelector': { apply: [] },
  'V1PodSpec.resourceClaims': { merge: 'name' },
  'V1PodSpec.schedulingGates': { merge: 'name' },
  'V1PodSpec.topologySpreadConstraints': { merge: 'topologyKey', apply: ['topologyKey', 'whenUnsatisfiable'] },
  'V1PodSpec.volumes': { merge: 'name' },
  'V1PodStatus.conditions': { merge: 'type' },
  'V1PodStatus.hostIPs': { merge: 'ip', apply: [] },
  'V1PodStatus.podIPs': { merge: 'ip' },
  'V1PodStatus.resourceClaimStatuses': { merge: 'name' },
  'V1ReplicaSetStatus.conditions': { merge: 'type' },
  'V1ResourceRequirements.claims': { apply: ['name'] },
  'V1ResourceStatus.resources': { apply: ['resourceID'] },
  'V1ServiceAccount.secrets': { merge: 'name' },
  'V1ServiceCIDRStatus.conditions': { merge: 'type' },
  'V1ServiceSpec.ports': { merge: 'port', apply: ['port', 'protocol'] },
  'V1ServiceSpec.selector': { apply: [] },
  'V1ServiceStatus.conditions': { merge: 'type' },
};

/** Types of which server-side apply owns an object as a whole. */
const atomicModels = new Set([
  'V1ConfigMapKeySelector',
  'V1FileKeySelector',
  'V1LabelSelector',
  'V1LocalObjectReference',
  'V1NodeSelector',
  'V1NodeSelectorTerm',
  'V1ObjectFieldSelector',
  'V1ObjectReference',
  'V1OwnerReference',
  'V1ResourceFieldSelector',
  'V1RoleRef',
  'V1SecretKeySelector',
  'V1TypedLocalObjectReference',
]);

export interface PatchKeys {
  mergeKeys: Record<string, string>;
  applyKeys: Record<string, string[]>;
}

/** Merge and apply keys by path, as `Strategy` wants them, of the kind whose type @kubernetes/client-node calls `className`. */
export function patchKeysOf(className: string): PatchKeys {
  const keys: PatchKeys = { mergeKeys: {}, applyKeys: {} };
  collect(modelOf(className), '', keys);
  return keys;
}

function collect(model: Model, prefix: string, keys: PatchKeys): void {
  for (const [name, { type }] of model.fields) {
    if (name === 'managedFields') continue;
    const path = `${prefix}${name}`;
    const { merge, apply } = fieldKeys[`${model.className}.${name}`] ?? {};
    if (merge !== undefined) keys.mergeKeys[path] = merge;
    if (apply !== undefined) keys.applyKeys[path] = apply;
    descend(type, path, keys);
  }
}

function descend(type: ValueType, path: string, keys: PatchKeys): void {
  if (type.kind === 'list') descend(type.of, `${path}[]`, keys);
  else if (type.kind === 'model') {
    if (atomicModels.has(type.of.className)) keys.applyKeys[path] = [];
    collect(type.of, `${path}.`, keys);
  }
}
