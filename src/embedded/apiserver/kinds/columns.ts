import type { RawObject, TableColumn } from '../kind.ts';

export const nameColumn: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique within its namespace for namespaced kinds.',
  priority: 0,
};

export const ageColumn: TableColumn = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  priority: 0,
};

export function column(name: string, description: string, priority: 0 | 1 = 0): TableColumn {
  return { name, type: 'string', description, priority };
}

export function nameCell(object: RawObject): string {
  return object.metadata.name ?? '';
}

export function ageCell(object: RawObject, now: Date): string {
  return since(object.metadata.creationTimestamp, now);
}

/** The age of an RFC 3339 time in kubectl's short form, `<unknown>` when there is none. */
export function since(time: string | undefined, now: Date): string {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? '<unknown>' : humanDuration(now.getTime() - at);
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/**
 * A duration in milliseconds as kubectl prints ages: two units at most, fewer the longer it is (`45s`, `5m30s`, `42m`, `3h20m`,
 * `26h`, `3d4h`, `40d`, `2y30d`, `9y`). Clock skew of up to a second counts as `0s`, more as `<invalid>`.
 */
export function humanDuration(milliseconds: number): string {
  const whole = (unit: number): number => Math.floor(milliseconds / unit);
  const withRest = (big: number, bigName: string, small: number, smallName: string): string => {
    const rest = Math.floor((milliseconds % big) / small);
    return rest === 0 ? `${whole(big)}${bigName}` : `${whole(big)}${bigName}${rest}${smallName}`;
  };
  if (Math.trunc(milliseconds / second) < -1) return '<invalid>';
  if (milliseconds < 0) return '0s';
  if (milliseconds < 2 * minute) return `${whole(second)}s`;
  if (milliseconds < 10 * minute) return withRest(minute, 'm', second, 's');
  if (milliseconds < 3 * hour) return `${whole(minute)}m`;
  if (milliseconds < 8 * hour) return withRest(hour, 'h', minute, 'm');
  if (milliseconds < 2 * day) return `${whole(hour)}h`;
  if (milliseconds < 8 * day) return withRest(day, 'd', hour, 'h');
  if (milliseconds < 2 * year) return `${whole(day)}d`;
  if (milliseconds < 8 * year) return withRest(year, 'y', day, 'd');
  return `${whole(year)}y`;
}

/** `a=b,c=d` in the order of the keys, `<none>` when there are no labels. */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(',') || '<none>';
}

/** A list cut down to what a cell can hold: `a,b,c + 2 more...`. */
export function firstOf(items: readonly string[], most: number): string {
  const shown = items.slice(0, most).join(',');
  return items.length > most ? `${shown} + ${items.length - most} more...` : shown;
}
