import type { KindDefinition, RawObject } from '../kind.ts';
import { badRequest } from '../status.ts';

export type FieldPredicate = (object: RawObject) => boolean;

interface Requirement {
  read: (object: RawObject) => string;
  value: string;
  equal: boolean;
}

/**
 * Parses a field selector: `name=value`, `name==value` and `name!=value`, joined by commas; `\` escapes `\`, `,` and `=` in values.
 * @throws StatusError 400, also on a field by which the kind cannot be selected
 */
export function parseFieldSelector(text: string, kind: KindDefinition): FieldPredicate {
  const terms = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  const requirements = terms.map((term): Requirement => {
    const match = /^([^=!]*)(==|!=|=)(.*)$/s.exec(term);
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', sign = '', value = ''] = match;
    const wanted = unescapeValue(value);
    return { read: readerOf(field, kind), value: wanted, equal: sign !== '!=' };
  });
  return (object) => requirements.every(({ read, value, equal }) => (read(object) === value) === equal);
}

function readerOf(field: string, kind: KindDefinition): Requirement['read'] {
  const { selectableFields } = kind.strategy;
  const own = selectableFields && Object.hasOwn(selectableFields, field) ? selectableFields[field] : undefined;
  if (own) return own;
  if (field === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  if (selectableFields) throw badRequest(`field label not supported: ${field}`);
  throw badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

function unescapeValue(value: string): string {
  const bare = value.replace(/\\./g, '').match(/[,=]/);
  if (bare) throw badRequest(`invalid field selector: unescaped character in value: ${bare[0].charCodeAt(0)}`);
  return value.replace(/\\(.?)/g, (sequence, escaped: string) => {
    if (!'\\,='.includes(escaped) || escaped === '') {
      throw badRequest(`invalid field selector: invalid escape sequence: ${sequence}`);
    }
    return escaped;
  });
}
