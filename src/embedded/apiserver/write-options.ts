import type { Cause } from './kind.ts';
import { forbidden, invalid as invalidValue, notSupported, required, tooLong } from './kinds/validation/causes.ts';
import { isTrue } from './request.ts';
import { invalid } from './status.ts';

/** What every write can be told, from its query parameters (`CreateOptions`, `UpdateOptions`, `PatchOptions` of meta/v1). */
export interface WriteOptions {
  dryRun: boolean;
  /** Who owns the written fields: the `fieldManager` parameter, else the first part of the user agent. */
  fieldManager: string;
  /** What happens with fields that the kind does not have. */
  fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Server-side apply: take over fields that others own. */
  force: boolean;
}

export const internalWrite: WriteOptions = {
  dryRun: false,
  fieldManager: 'kube-apiserver',
  fieldValidation: 'Ignore',
  force: false,
};

const longestManager = 128;

/** @throws StatusError 422 naming each option with a bad value */
export function parseWriteOptions(
  query: URLSearchParams,
  operation: 'Create' | 'Update' | 'Patch' | 'Apply',
  userAgent: string | undefined,
): WriteOptions {
  const causes: Cause[] = [];
  const manager = query.get('fieldManager') ?? '';
  if (operation === 'Apply' && manager === '') {
    causes.push(required('fieldManager', 'is required for apply patch'));
  }
  if (operation === 'Patch' && query.has('force')) {
    causes.push(forbidden('force', 'may not be specified for non-apply patch'));
  }
  causes.push(...managerCauses(manager), ...dryRunCauses(query.getAll('dryRun')));
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
    causes.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  const kind = `${operation === 'Apply' ? 'Patch' : operation}Options`;
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', causes);
  return {
    dryRun: query.has('dryRun'),
    fieldManager: manager || managerOfUserAgent(userAgent),
    fieldValidation: fieldValidation === 'Ignore' || fieldValidation === 'Strict' ? fieldValidation : 'Warn',
    force: isTrue(query.get('force')),
  };
}

export function dryRunCauses(values: string[]): Cause[] {
  return values.every((value) => value === 'All') ? [] : [notSupported('dryRun', values, ['All'])];
}

function managerCauses(manager: string): Cause[] {
  const causes: Cause[] = [];
  if (Buffer.byteLength(manager) > longestManager) causes.push(tooLong('fieldManager', longestManager));
  const control = /\p{C}/u.exec(manager);
  if (control) {
    const code = (control[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const why = `invalid character U+${code} (at position ${control.index})`;
    causes.push(invalidValue('fieldManager', manager, why));
  }
  return causes;
}

function managerOfUserAgent(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/')[0]?.replace(/\p{C}/gu, '') ?? '';
  return name === '' ? 'unknown' : name.slice(0, longestManager);
}
