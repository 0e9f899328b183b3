import type { KindDefinition, RawObject } from './kind.ts';
import { badRequest } from './status.ts';

export type Predicate = (object: RawObject) => boolean;

interface Requirement {
  key: string;
  operator: 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  values: Set<string>;
}

/**
 * Parses a label selector in either form: equality-based (`a=b,c!=d`) or set-based (`a in (x,y),!b`).
 * @throws StatusError 400
 */
export function parseLabelSelector(text: string): Predicate {
  const requirements = splitRequirements(text).map(parseRequirement);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((requirement) => meets(requirement, labels[requirement.key]));
  };
}

function meets({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.has(value);
    case 'notin':
      return value === undefined || !values.has(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const [bound = ''] = values;
      if (value === undefined || !integer.test(value)) return false;
      return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}

const integer = /^[+-]?\d+$/;
const nameText = '[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?';
const labelKey = new RegExp(`^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?${nameText}$`);
const labelValue = new RegExp(`^(?:${nameText})?$`);

/** Splits at commas that are not inside parentheses. */
function splitRequirements(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return text.trim() === '' ? [] : parts.map((part) => part.trim());
}

function parseRequirement(text: string): Requirement {
  const absent = /^!\s*([^\s=!<>(),]+)$/.exec(text);
  if (absent) return requirement(text, absent[1], '!', []);
  const present = /^([^\s=!<>(),]+)$/.exec(text);
  if (present) return requirement(text, present[1], 'exists', []);
  const set = /^([^\s=!<>(),]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return requirement(text, set[1], set[2] === 'in' ? 'in' : 'notin', values);
  }
  const compare = /^([^\s=!<>(),]+)\s*(==|=|!=|>|<)\s*([^\s=!<>(),]*)$/.exec(text);
  if (!compare) throw unparsable(text);
  const [, key, sign, value = ''] = compare;
  const operators = { '=': 'in', '==': 'in', '!=': 'notin', '>': 'gt', '<': 'lt' } as const;
  return requirement(text, key, operators[sign as keyof typeof operators], [value]);
}

function requirement(
  text: string,
  key: string | undefined,
  operator: Requirement['operator'],
  values: string[],
): Requirement {
  if (key === undefined || !labelKey.test(key)) throw unparsable(text);
  if ((operator === 'gt' || operator === 'lt') && !values.every((value) => integer.test(value))) {
    throw unparsable(text);
  }
  if (!values.every((value) => value.length <= 63 && labelValue.test(value))) throw unparsable(text);
  return { key, operator, values: new Set(values) };
}

function unparsable(text: string): Error {
  return badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
}

interface FieldRequirement {
  read: (object: RawObject) => string;
  value: string;
  equal: boolean;
}

/**
 * Parses a field selector: `name=value`, `name==value` and `name!=value`, joined by commas; `\` escapes `\`, `,` and `=`.
 * @throws StatusError 400, also on a field by which the kind cannot be selected.
 */
export function parseFieldSelector(text: string, kind: KindDefinition): Predicate {
  const terms = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  const requirements = terms.map((term): FieldRequirement => {
    const match = /^((?:\\.|[^=!\\])*)(==|!=|=)((?:\\.|[^=\\])*)$/.exec(term);
    const [, field = '', sign = '', value = ''] = match ?? [];
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const read = fieldReader(field, kind);
    if (!read) throw badRequest(`field label not supported: ${field}`);
    return { read, value: value.replace(/\\(.)/g, '$1'), equal: sign !== '!=' };
  });
  return (object) => requirements.every(({ read, value, equal }) => (read(object) === value) === equal);
}

function fieldReader(field: string, kind: KindDefinition): FieldRequirement['read'] | undefined {
  const { selectableFields } = kind.strategy;
  if (selectableFields && Object.hasOwn(selectableFields, field)) return selectableFields[field];
  if (field === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  return undefined;
}
