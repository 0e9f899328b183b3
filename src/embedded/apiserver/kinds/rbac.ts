import { equalJson } from '../json.ts';
import type { Cause, KindDefinition, RawObject } from '../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from './columns.ts';
import { decoderOf } from './schema/decode.ts';
import { strategyOf } from './strategy.ts';
import { eachInvalid, invalid, notSupported, required } from './validation/causes.ts';
import { dns1123Subdomain } from './validation/names.ts';

const group = 'rbac.authorization.k8s.io';

interface RoleObject extends RawObject {
  rules: Rule[] | null;
}

interface Rule {
  verbs: string[] | null;
  apiGroups?: string[];
  resources?: string[];
  nonResourceURLs?: string[];
}

interface BindingObject extends RawObject {
  roleRef: { apiGroup?: string; kind?: string; name?: string };
  subjects?: Subject[];
}

interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
}

const shared = { group, version: 'v1', shortNames: [], categories: [], subresources: [], nameForm: 'segment' } as const;

/** The kinds are stored and checked; the embedded server lets everyone with a token do everything. */
export const rbacKinds: KindDefinition[] = [
  roleKind('ClusterRole', 'clusterroles', false),
  bindingKind('ClusterRoleBinding', 'clusterrolebindings', false),
  roleKind('Role', 'roles', true),
  bindingKind('RoleBinding', 'rolebindings', true),
];

function roleKind(kind: string, plural: string, namespaced: boolean): KindDefinition {
  const validate = (object: RawObject): Cause[] =>
    ((object as RoleObject).rules ?? []).flatMap((rule, i) => validateRule(rule, `rules[${i}]`, namespaced));
  return {
    ...shared,
    shortNames: [],
    categories: [],
    subresources: [],
    plural,
    kind,
    singular: kind.toLowerCase(),
    namespaced,
    createOnUpdate: true,
    decode: decoderOf(`V1${kind}`),
    strategy: strategyOf(`V1${kind}`, {
      validate,
      validateUpdate: validate,
      columns: [nameColumn, { ...column('Created At', 'When the object was created.'), type: 'date' }],
      row: (object) => [nameCell(object), object.metadata.creationTimestamp ?? null],
    }),
  };
}

function validateRule(rule: Rule, at: string, namespaced: boolean): Cause[] {
  const { verbs, apiGroups = [], resources = [], nonResourceURLs = [] } = rule;
  const causes: Cause[] = [];
  if (!verbs?.length) causes.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const field = `${at}.nonResourceURLs`;
    if (namespaced) causes.push(invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length + resources.length > 0) {
      const why = 'rules cannot apply to both regular resources and non-resource URLs';
      causes.push(invalid(field, nonResourceURLs, why));
    }
    return causes;
  }
  if (apiGroups.length === 0)
    causes.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0)
    causes.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
  return causes;
}

function bindingKind(kind: string, plural: string, namespaced: boolean): KindDefinition {
  const roleKinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const validate = (object: RawObject): Cause[] => validateBinding(object as BindingObject, roleKinds, namespaced);
  return {
    ...shared,
    shortNames: [],
    categories: [],
    subresources: [],
    plural,
    kind,
    singular: kind.toLowerCase(),
    namespaced,
    createOnUpdate: true,
    decode: decoderOf(`V1${kind}`),
    strategy: strategyOf(`V1${kind}`, {
      setDefaults(object) {
        const { roleRef, subjects = [] } = object as BindingObject;
        roleRef.apiGroup ||= group;
        for (const subject of subjects) {
          if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= group;
        }
      },
      validate,
      validateUpdate(object, before) {
        const { roleRef } = object as BindingObject;
        const causes = validate(object);
        if (!equalJson(roleRef, before.roleRef)) {
          const shown = { APIGroup: roleRef.apiGroup, Kind: roleRef.kind, Name: roleRef.name };
          causes.push(invalid('roleRef', shown, 'cannot change roleRef'));
        }
        return causes;
      },
      columns: [
        nameColumn,
        column('Role', 'What is granted.'),
        ageColumn,
        column('Users', 'Users it is granted to.', 1),
        column('Groups', 'Groups it is granted to.', 1),
        column('ServiceAccounts', 'Service accounts it is granted to.', 1),
      ],
      row(object, now) {
        const { roleRef, subjects = [] } = object as BindingObject;
        const of = (wanted: string): string =>
          subjects
            .filter((subject) => subject.kind === wanted)
            .map(({ name, namespace }) => (wanted === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
            .join(', ');
        const role = `${roleRef.kind}/${roleRef.name}`;
        return [nameCell(object), role, ageCell(object, now), of('User'), of('Group'), of('ServiceAccount')];
      },
    }),
  };
}

function validateBinding({ roleRef, subjects = [] }: BindingObject, kinds: string[], namespaced: boolean): Cause[] {
  const causes: Cause[] = [];
  const { apiGroup = '', kind = '', name = '' } = roleRef;
  if (apiGroup !== group) causes.push(notSupported('roleRef.apiGroup', apiGroup, [group]));
  if (!kinds.includes(kind)) causes.push(notSupported('roleRef.kind', kind, kinds));
  if (name === '') causes.push(required('roleRef.name'));
  subjects.forEach((subject, i) => {
    causes.push(...validateSubject(subject, `subjects[${i}]`, namespaced));
  });
  return causes;
}

function validateSubject({ kind, name, apiGroup = '', namespace }: Subject, at: string, namespaced: boolean): Cause[] {
  const causes: Cause[] = name === '' ? [required(`${at}.name`)] : [];
  if (kind === 'ServiceAccount') {
    if (name !== '') causes.push(...eachInvalid(`${at}.name`, name, dns1123Subdomain(name)));
    if (apiGroup !== '') causes.push(notSupported(`${at}.apiGroup`, apiGroup, ['']));
    if (!namespaced && !namespace) causes.push(required(`${at}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== group) causes.push(notSupported(`${at}.apiGroup`, apiGroup, [group]));
  } else causes.push(notSupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  return causes;
}
