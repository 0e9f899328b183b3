import { describe, expect, it } from 'vitest';
import { firstOf, formatLabels, humanDuration, since } from '../../../../src/embedded/apiserver/kinds/columns.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('an age in a table', () => {
  const table: [number, string][] = [
    [0, '0s'],
    [999, '0s'],
    [-500, '0s'],
    [-2 * second, '<invalid>'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [2 * minute + 5 * second, '2m5s'],
    [9 * minute + 59 * second, '9m59s'],
    [10 * minute + 30 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [3 * hour + 20 * minute, '3h20m'],
    [8 * hour + 20 * minute, '8h'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [2 * day + 3 * hour, '2d3h'],
    [8 * day + 3 * hour, '8d'],
    [729 * day, '729d'],
    [2 * 365 * day, '2y'],
    [2 * 365 * day + 30 * day, '2y30d'],
    [9 * 365 * day + 30 * day, '9y'],
  ];
  it.each(table)('%d ms is shown as %s', (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });

  it('is unknown without a time', () => {
    expect(since(undefined, new Date())).toBe('<unknown>');
    expect(since('2026-01-01T00:00:00Z', new Date('2026-01-01T00:05:30Z'))).toBe('5m30s');
  });
});

describe('cells', () => {
  it('labels stand in the order of their keys', () => {
    expect(formatLabels({ b: 'c', a: 'b' })).toBe('a=b,b=c');
    expect(formatLabels({})).toBe('<none>');
    expect(formatLabels(undefined)).toBe('<none>');
  });

  it('long lists say how much more there is', () => {
    expect(firstOf(['a', 'b', 'c'], 3)).toBe('a,b,c');
    expect(firstOf(['a', 'b', 'c', 'd', 'e'], 3)).toBe('a,b,c + 2 more...');
    expect(firstOf([], 3)).toBe('');
  });
});
