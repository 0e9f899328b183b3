import { representationOf, sendValue } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { isRecord, type JsonRecord } from './json.ts';
import type { RawMeta, RawObject, TableColumn } from './kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from './kinds/columns.ts';
import { invalid as invalidValue } from './kinds/validation/causes.ts';
import { badRequest, invalid } from './status.ts';
import { columnDefinitions, rowObject, table } from './table.ts';

const columns: TableColumn[] = [
  nameColumn,
  { ...column('Desired', 'How many Pods are wanted.'), type: 'integer' },
  { ...column('Available', 'How many Pods there are.'), type: 'integer' },
  ageColumn,
];

/** Answers with the `Scale` of a stored object, in the form that the client asked for. @throws StatusError 406 */
export function answerScale(exchange: Exchange, stored: RawObject): void {
  const { form, metaVersion, includeObject, yaml } = representationOf(exchange);
  const scale = scaleOf(stored);
  const asked = form === 'table' ? includeObject : form === 'metadata' ? 'Metadata' : 'Object';
  const object = rowObject(scale, asked, metaVersion);
  if (form !== 'table') {
    sendValue(exchange, 200, object, yaml);
    return;
  }
  const now = new Date(exchange.serving.registry.clock.now());
  const cells = [nameCell(scale), scale.spec.replicas ?? 0, scale.status.replicas, ageCell(scale, now)];
  const { resourceVersion } = scale.metadata;
  sendValue(
    exchange,
    200,
    table(metaVersion, { resourceVersion }, columnDefinitions(columns), [{ cells, object }]),
    yaml,
  );
}

interface Scale extends JsonRecord {
  metadata: RawMeta;
  spec: { replicas?: unknown };
  status: { replicas: unknown; selector?: string };
}

/** `Scale` of autoscaling/v1 as the `scale` subresource shows it. */
export function scaleOf(object: RawObject): Scale {
  const { name = '', namespace = '', uid = '', resourceVersion = '', creationTimestamp = '' } = object.metadata;
  const spec = isRecord(object.spec) ? object.spec : {};
  const status = isRecord(object.status) ? object.status : {};
  const selector = selectorText(spec.selector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

/** An object with the number of replicas that a decoded `Scale` wants. @throws StatusError 400 or 422 */
export function withScale(before: RawObject, scale: unknown): RawObject {
  if (!isRecord(scale)) throw badRequest('the request body is not a Scale');
  const metadata = isRecord(scale.metadata) ? scale.metadata : {};
  const name = before.metadata.name ?? '';
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`);
  }
  const { replicas = 0 } = isRecord(scale.spec) ? scale.spec : {};
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest(
      `Scale in version "v1" cannot be handled as a Scale: spec.replicas is not an integer: ${String(replicas)}`,
    );
  }
  if (replicas < 0) {
    const cause = invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [cause]);
  }
  const { resourceVersion, uid } = metadata;
  const spec = isRecord(before.spec) ? before.spec : {};
  return {
    ...before,
    metadata: {
      ...before.metadata,
      resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
      ...(typeof uid === 'string' ? { uid } : {}),
    },
    spec: { ...spec, replicas },
  };
}

/** A label selector in the text form that clients can put into a query. */
function selectorText(selector: unknown): string {
  if (!isRecord(selector)) return '';
  const labels = isRecord(selector.matchLabels) ? selector.matchLabels : {};
  const terms = Object.entries(labels).map(([key, value]) => ({ key, text: `${key}=${String(value)}` }));
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions : [];
  for (const expression of expressions) {
    if (!isRecord(expression)) continue;
    const key = String(expression.key);
    const values = Array.isArray(expression.values) ? expression.values.map(String).sort().join(',') : '';
    const texts: Record<string, string> = {
      In: `${key} in (${values})`,
      NotIn: `${key} notin (${values})`,
      Exists: key,
      DoesNotExist: `!${key}`,
    };
    terms.push({ key, text: texts[String(expression.operator)] ?? key });
  }
  return terms
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',');
}
