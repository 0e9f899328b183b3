/** Merge and apply keys of a Pod's spec (the `x-kubernetes-patch-merge-key` and list-type marks of the API), by path. */
const containerKeys: Record<string, string> = {
  env: 'name',
  ports: 'containerPort',
  volumeDevices: 'devicePath',
  volumeMounts: 'mountPath',
};

const specKeys: Record<string, string> = {
  containers: 'name',
  ephemeralContainers: 'name',
  hostAliases: 'ip',
  imagePullSecrets: 'name',
  initContainers: 'name',
  resourceClaims: 'name',
  schedulingGates: 'name',
  topologySpreadConstraints: 'topologyKey',
  volumes: 'name',
};

const containerLists = ['containers', 'ephemeralContainers', 'initContainers'];

/** @param prefix where the spec stands: `spec` or `spec.template.spec` */
export function podSpecMergeKeys(prefix: string): Record<string, string> {
  const keys: Record<string, string> = {};
  for (const [path, key] of Object.entries(specKeys)) keys[`${prefix}.${path}`] = key;
  for (const list of containerLists) {
    for (const [path, key] of Object.entries(containerKeys)) keys[`${prefix}.${list}[].${path}`] = key;
  }
  return keys;
}

export function podSpecApplyKeys(prefix: string): Record<string, string[]> {
  const keys: Record<string, string[]> = {
    [`${prefix}.nodeSelector`]: [],
    [`${prefix}.topologySpreadConstraints`]: ['topologyKey', 'whenUnsatisfiable'],
  };
  for (const list of containerLists) {
    keys[`${prefix}.${list}[].ports`] = ['containerPort', 'protocol'];
    keys[`${prefix}.${list}[].resources.claims`] = ['name'];
  }
  return keys;
}
