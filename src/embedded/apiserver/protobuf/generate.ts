/**
 * Writes `messages.txt`: the field numbers of the API types that clients may send as protobuf, read from the `generated.proto` files of
 * a Kubernetes source tree. Run by hand for a new Kubernetes version:
 *
 *   node src/embedded/apiserver/protobuf/generate.ts KUBERNETES/staging/src/k8s.io
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const packages = {
  'apimachinery/pkg/apis/meta/v1': 'meta',
  'apimachinery/pkg/api/resource': 'resource',
  'apimachinery/pkg/runtime': 'runtime',
  'apimachinery/pkg/util/intstr': 'intstr',
  'api/core/v1': 'core',
  'api/apps/v1': 'apps',
  'api/authentication/v1': 'authentication',
  'api/authorization/v1': 'authorization',
  'api/autoscaling/v1': 'autoscaling',
  'api/coordination/v1': 'coordination',
  'api/discovery/v1': 'discovery',
  'api/events/v1': 'events',
  'api/networking/v1': 'networking',
  'api/policy/v1': 'policy',
  'api/rbac/v1': 'rbac',
};

/** The types that arrive as whole requests. */
const roots =
  'core.Namespace core.Node core.Pod core.Service core.Endpoints core.Event core.ConfigMap core.Secret core.ServiceAccount core.Binding apps.Deployment apps.ReplicaSet discovery.EndpointSlice events.Event coordination.Lease networking.ServiceCIDR rbac.Role rbac.RoleBinding rbac.ClusterRole rbac.ClusterRoleBinding autoscaling.Scale policy.Eviction meta.DeleteOptions authentication.SelfSubjectReview authorization.SelfSubjectAccessReview authorization.SelfSubjectRulesReview'.split(
    ' ',
  );

/** Structs that JSON spreads into their parent, by the name of the field that holds them in protobuf. */
const inlined = new Set(['localObjectReference', 'volumeSource', 'handler', 'ephemeralContainerCommon']);

const scalars = new Set(['string', 'bytes', 'bool', 'int32', 'int64', 'double']);
/** Types with a JSON form of their own, which the decoder knows. */
const special = new Set([
  'meta.Time',
  'meta.MicroTime',
  'meta.FieldsV1',
  'resource.Quantity',
  'intstr.IntOrString',
  'runtime.RawExtension',
]);

interface Field {
  name: string;
  number: string;
  shape: '' | '[]' | '{}';
  type: string;
}

export function parseProto(text: string, group: string): Map<string, Field[]> {
  const messages = new Map<string, Field[]>();
  const plain = text.replace(/\/\/.*$/gm, '');
  for (const [, name = '', body = ''] of plain.matchAll(/^message (\w+) \{$([\s\S]*?)^\}$/gm)) {
    const fields: Field[] = [];
    const form = /^\s*(?:(optional|repeated)\s+([\w.]+)|map<string, ([\w.]+)>)\s+(\w+) = (\d+);/gm;
    for (const [, label, single, mapped, field = '', number = ''] of body.matchAll(form)) {
      const shape = mapped === undefined ? (label === 'repeated' ? '[]' : '') : '{}';
      fields.push({ name: field, number, shape, type: qualify(single ?? mapped ?? '', group) });
    }
    messages.set(`${group}.${name}`, fields);
  }
  return messages;
}

function qualify(type: string, group: string): string {
  if (scalars.has(type)) return type;
  if (!type.startsWith('.')) return `${group}.${type}`;
  const path = type.replace(/^\.k8s\.io\./, '').split('.');
  const name = path.pop() ?? '';
  const known = Object.entries(packages).find(([folder]) => folder === path.join('/'));
  if (!known) throw new Error(`no package for the type ${type}`);
  return `${known[1]}.${name}`;
}

function main(tree: string): void {
  const messages = new Map<string, Field[]>();
  for (const [folder, group] of Object.entries(packages)) {
    const text = readFileSync(join(tree, folder, 'generated.proto'), 'utf8');
    for (const [name, fields] of parseProto(text, group)) messages.set(name, fields);
  }
  const wanted = [...roots];
  const lines: string[] = [];
  for (let i = 0; i < wanted.length; i++) {
    const name = wanted[i] ?? '';
    const fields = messages.get(name);
    if (!fields) throw new Error(`no message ${name}`);
    for (const { type } of fields) {
      if (!scalars.has(type) && !special.has(type) && !wanted.includes(type)) wanted.push(type);
    }
    const texts = fields.map(({ name: field, number, shape, type }) => {
      const member = inlined.has(field) ? '*' : field;
      return `${number}:${member}:${shape}${type}`;
    });
    lines.push([name, ...texts].join(' '));
  }
  lines.sort();
  writeFileSync(join(import.meta.dirname, 'messages.txt'), `${lines.join('\n')}\n`);
}

const [, script = '', tree] = process.argv;
if (import.meta.url === pathToFileURL(script).href) {
  if (tree === undefined) throw new Error('usage: generate.ts KUBERNETES/staging/src/k8s.io');
  main(tree);
}
