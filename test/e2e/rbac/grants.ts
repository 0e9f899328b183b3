import type { Manifest } from '../../manifests/kustomize.ts';

/** One verb on one resource that a role gives. */
export interface Grant {
  kind: 'ClusterRole' | 'Role';
  role: string;
  verb: string;
  group: string;
  resource: string;
}

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

const isRole = (object: Manifest): boolean => object.kind === 'ClusterRole' || object.kind === 'Role';
const rulesOf = (object: Manifest): Rule[] => object.rules as Rule[];

export function grantsOf(objects: readonly Manifest[]): Grant[] {
  return objects.filter(isRole).flatMap((object) =>
    rulesOf(object).flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.map(
            (verb): Grant => ({
              kind: object.kind as Grant['kind'],
              role: object.metadata.name,
              verb,
              group,
              resource,
            }),
          ),
        ),
      ),
    ),
  );
}

/** How a grant and a request are compared: `update discovery.k8s.io/endpointslices`. */
export function label({ verb, group, resource }: Pick<Grant, 'verb' | 'group' | 'resource'>): string {
  return `${verb} ${group === '' ? resource : `${group}/${resource}`}`;
}

/**
 * The service account, roles and bindings among the objects under new names, less one verb on one resource: another identity that is
 * known to nobody yet.
 */
export function renamedWithout(objects: readonly Manifest[], suffix: string, without: Grant | undefined): Manifest[] {
  const kinds = ['ServiceAccount', 'ClusterRole', 'Role', 'ClusterRoleBinding', 'RoleBinding'];
  return objects
    .filter(({ kind }) => kinds.includes(kind))
    .map((object) => {
      const copy = structuredClone(object);
      copy.metadata.name += suffix;
      if (isRole(copy)) {
        const reduced = without?.kind === object.kind && without.role === object.metadata.name;
        if (reduced) copy.rules = rulesOf(copy).flatMap((rule) => less(rule, without));
      } else if (copy.kind !== 'ServiceAccount') {
        (copy.roleRef as { name: string }).name += suffix;
        for (const subject of copy.subjects as { name: string }[]) subject.name += suffix;
      }
      return copy;
    });
}

/** The rule for all other resources, and for this resource all other verbs. */
function less(rule: Rule, { verb, group, resource }: Grant): Rule[] {
  if (!rule.apiGroups.includes(group) || !rule.resources.includes(resource)) return [rule];
  const others = rule.resources.filter((name) => name !== resource);
  const verbs = rule.verbs.filter((name) => name !== verb);
  return [
    ...(others.length > 0 ? [{ ...rule, resources: others }] : []),
    ...(verbs.length > 0 ? [{ ...rule, resources: [resource], verbs }] : []),
  ];
}
