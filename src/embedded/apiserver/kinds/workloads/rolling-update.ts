import type { Cause } from '../../kind.ts';
import { forbidden, invalid, notSupported } from '../validation/causes.ts';
import type { RollingUpdate, WorkloadSpec } from './types.ts';

export function setStrategyDefaults(spec: WorkloadSpec): void {
  const strategy = spec.strategy ?? {};
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= '25%';
    strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.strategy = strategy;
}

export function validateStrategy({ strategy = {} }: WorkloadSpec): Cause[] {
  const { type, rollingUpdate } = strategy;
  if (type === 'Recreate') {
    if (rollingUpdate === undefined) return [];
    const why = "may not be specified when strategy `type` is 'Recreate'";
    return [forbidden('spec.strategy.rollingUpdate', why)];
  }
  if (type === 'RollingUpdate') return validateRollingUpdate(rollingUpdate ?? {});
  const shown = { Type: type, RollingUpdate: rollingUpdate ?? null };
  return [notSupported('spec.strategy', shown, ['Recreate', 'RollingUpdate'])];
}

function validateRollingUpdate({ maxUnavailable = 0, maxSurge = 0 }: RollingUpdate): Cause[] {
  const at = 'spec.strategy.rollingUpdate';
  const causes = [
    ...validateAmount(maxUnavailable, `${at}.maxUnavailable`),
    ...validateAmount(maxSurge, `${at}.maxSurge`),
  ];
  if (isNone(maxUnavailable) && isNone(maxSurge)) {
    causes.push(invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  const percent = percentOf(maxUnavailable);
  if (percent !== undefined && percent > 100) {
    causes.push(invalid(`${at}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'));
  }
  return causes;
}

function validateAmount(value: number | string, field: string): Cause[] {
  if (typeof value === 'number') {
    return value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];
  }
  if (percentOf(value) !== undefined) return [];
  const why =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalid(field, value, why)];
}

function percentOf(value: number | string): number | undefined {
  return typeof value === 'string' && /^\d+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
}

function isNone(value: number | string): boolean {
  return value === 0 || percentOf(value) === 0;
}
