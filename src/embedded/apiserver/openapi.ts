import { gitVersion } from './discovery.ts';
import type { Exchange } from './exchange.ts';
import type { JsonRecord } from './json.ts';
import { modelOf } from './kinds/schema/models.ts';
import { reference, schemaName, schemasOf } from './kinds/schema/openapi.ts';
import type { Registry, ServedKind } from './registry.ts';
import { sendBuffers, sendJson } from './respond.ts';

/**
 * Answers `/openapi/v3`, the document of each group version, and `/openapi/v2`; false for other paths. From paths and parameters kubectl
 * sees that the server validates fields itself; the schemas tell names and types of fields (`kubectl explain`).
 */
export function serveOpenApi(exchange: Exchange): boolean {
  const { info, response, serving } = exchange;
  const { registry } = serving;
  const path = info.path.replace(/\/$/, '');
  if (path === '/openapi/v2') {
    sendEmptyVersion2(exchange);
    return true;
  }
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
    info: about,
    paths: Object.fromEntries(kinds.flatMap(pathItems)),
    components: { schemas: schemas(kinds) },
  });
  return true;
}

const description =
  'The embedded API server of Slicewise knows the names and types of fields. What they mean stands at https://kubernetes.io/docs/reference/kubernetes-api/.';

const about = { title: 'Kubernetes', version: gitVersion };

const version2Protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/**
 * kubectl turns to version 2 for what it does not find in version 3, such as the kind `List` that `kubectl get -o yaml` prints, and
 * gives up if there is none. It takes what is in neither for valid, and leaves the verdict to the server.
 */
function sendEmptyVersion2({ message, response }: Exchange): void {
  const accept = message.headers.accept ?? '';
  // A protobuf message without fields has no bytes.
  if (accept.includes(version2Protobuf)) sendBuffers(response, 200, [], version2Protobuf.replace('@', '.'));
  else sendJson(response, 200, { swagger: '2.0', info: about, paths: {}, definitions: {} });
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

function schemas(kinds: ServedKind[]): JsonRecord {
  const all: JsonRecord = {};
  for (const kind of kinds) {
    const { className } = kind.definition.decode;
    for (const [name, schema] of schemasOf(className)) all[name] ??= schema;
    const own = schemaName(modelOf(className));
    all[own] = {
      ...schemasOf(className).get(own),
      description,
      'x-kubernetes-group-version-kind': [groupVersionKind(kind)],
    };
  }
  return all;
}

const queryParameter = (name: string) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation', 'pretty'].map(queryParameter);

function pathItems(kind: ServedKind): [string, JsonRecord][] {
  const { definition } = kind;
  const collection = `/${documentName(kind)}${definition.namespaced ? '/namespaces/{namespace}' : ''}/${definition.plural}`;
  const schema = reference(schemaName(modelOf(definition.decode.className)));
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
