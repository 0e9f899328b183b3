import type { Cause } from '../../kind.ts';
import { invalid, notSupported } from '../validation/causes.ts';
import type { SecurityContext } from './types.ts';

const largestId = 2 ** 31 - 1;
const procMounts = ['Default', 'Unmasked'];

export function validateSecurity(context: SecurityContext, at: string): Cause[] {
  const { runAsUser, runAsGroup, procMount, privileged, allowPrivilegeEscalation } = context;
  const causes: Cause[] = [...validateId(runAsUser, `${at}.runAsUser`), ...validateId(runAsGroup, `${at}.runAsGroup`)];
  if (procMount !== undefined && !procMounts.includes(procMount)) {
    causes.push(notSupported(`${at}.procMount`, procMount, procMounts));
  }
  if (privileged && allowPrivilegeEscalation === false) {
    causes.push(invalid(at, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
  }
  return causes;
}

function validateId(id: number | undefined, field: string): Cause[] {
  if (id === undefined || (id >= 0 && id <= largestId)) return [];
  return [invalid(field, id, `must be between 0 and ${largestId}, inclusive`)];
}
