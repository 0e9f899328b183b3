import { UserError } from '../../user-error.ts';
import type { IptablesBackend } from './backend.ts';

/**
 * `iptables-save` of legacy is `iptables-legacy-save`.
 * @throws UserError for a name that is not a plain program's
 */
export function variantProgram(name: string, backend: IptablesBackend): string {
  const [, base, action] = /^(ip6?tables)(-save|-restore)?$/.exec(name) ?? [];
  if (base === undefined)
    throw new UserError(`"${name}" is not a name of iptables: it is iptables or ip6tables, -save, -restore or neither`);
  return `${base}-${backend}${action ?? ''}`;
}
