import { gitVersion } from './discovery.ts';
import type { Exchange } from './exchange.ts';
import type { JsonRecord } from './json.ts';
import type { Registry, ServedKind } from './registry.ts';
import { sendJson } from './respond.ts';

/**
 * Answers `/openapi/v3` and the document of each group version; false for other paths. The documents state paths and parameters, from
 * which kubectl sees that the server validates fields itself, but no schemas: `kubectl explain` finds nothing.
 */
export function serveOpenApi({ info, response, serving }: Exchange): boolean {
  const { registry } = serving;
  const path = info.path.replace(/\/$/, '');
  if (path === '/openapi/v3') {
    const paths = Object.fromEntries(
      groupVersions(registry).map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}` }]),
    );
    sendJson(response, 200, { paths });
    return true;
  }
  const name = path.replace(/^\/openapi\/v3\//, '');
  if (name === path || !groupVersions(registry).includes(name)) return false;
  const kinds = registry.kinds.filter((kind) => documentName(kind) === name);
  sendJson(response, 200, {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: gitVersion },
    paths: Object.fromEntries(kinds.flatMap(pathItems)),
    components: { schemas: Object.fromEntries(kinds.map(schemaOf)) },
  });
  return true;
}

function groupVersions(registry: Registry): string[] {
  return [...new Set(registry.kinds.map(documentName))];
}

function documentName({ definition, apiVersion }: ServedKind): string {
  return definition.group === '' ? `api/${apiVersion}` : `apis/${apiVersion}`;
}

function groupVersionKind({ definition }: ServedKind): JsonRecord {
  return { group: definition.group, version: definition.version, kind: definition.kind };
}

function schemaName({ definition }: ServedKind): string {
  return `slicewise.${definition.group === '' ? 'core' : definition.group}.${definition.version}.${definition.kind}`;
}

function schemaOf(kind: ServedKind): [string, JsonRecord] {
  return [
    schemaName(kind),
    {
      type: 'object',
      'x-kubernetes-group-version-kind': [groupVersionKind(kind)],
      'x-kubernetes-preserve-unknown-fields': true,
    },
  ];
}

const queryParameter = (name: string) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation', 'pretty'].map(queryParameter);

function pathItems(kind: ServedKind): [string, JsonRecord][] {
  const { definition } = kind;
  const collection = `/${documentName(kind)}${definition.namespaced ? '/namespaces/{namespace}' : ''}/${definition.plural}`;
  const schema = { $ref: `#/components/schemas/${schemaName(kind)}` };
  const responses = { '200': { description: 'OK', content: { 'application/json': { schema } } } };
  const operation = (action: string, parameters: unknown[], contentTypes: string[]) => ({
    responses,
    parameters,
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': groupVersionKind(kind),
    ...(contentTypes.length > 0
      ? { requestBody: { content: Object.fromEntries(contentTypes.map((type) => [type, { schema }])) } }
      : {}),
  });
  const patchTypes = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];
  return [
    [collection, { get: operation('list', [], []), post: operation('post', writeParameters, ['*/*']) }],
    [
      `${collection}/{name}`,
      {
        get: operation('get', [], []),
        put: operation('put', writeParameters, ['*/*']),
        patch: operation('patch', [...writeParameters, queryParameter('force')], patchTypes),
        delete: operation('delete', [], ['*/*']),
      },
    ],
  ];
}
