import type { Cause } from '../../kind.ts';

/** The kinds of field errors of the real server, in its words (apimachinery `field.Error`). */

export function invalid(field: string, value: unknown, detail: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${shown(value)}: ${detail}`, field };
}

export function required(field: string, detail = ''): Cause {
  return { reason: 'FieldValueRequired', message: withDetail('Required value', detail), field };
}

export function forbidden(field: string, detail: string): Cause {
  return { reason: 'FieldValueForbidden', message: withDetail('Forbidden', detail), field };
}

export function duplicate(field: string, value: unknown): Cause {
  return { reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown(value)}`, field };
}

/** `supported` is listed in the order given. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): Cause {
  const list = supported.map((item) => JSON.stringify(item)).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${shown(value)}: supported values: ${list}`,
    field,
  };
}

export function tooMany(field: string, actual: number, most: number): Cause {
  return { reason: 'FieldValueTooMany', message: `Too many: ${actual}: must have at most ${most} items`, field };
}

export function tooLong(field: string, mostBytes: number): Cause {
  return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${mostBytes} bytes`, field };
}

export function notFound(field: string, value: unknown): Cause {
  return { reason: 'FieldValueNotFound', message: `Not found: ${shown(value)}`, field };
}

export const immutableDetail = 'field is immutable';

/** One `Invalid value` for each thing that is wrong with a value. */
export function eachInvalid(field: string, value: unknown, details: readonly string[]): Cause[] {
  return details.map((detail) => invalid(field, value, detail));
}

function withDetail(title: string, detail: string): string {
  return detail === '' ? title : `${title}: ${detail}`;
}

function shown(value: unknown): string {
  return JSON.stringify(value ?? null);
}
