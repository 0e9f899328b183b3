import { describe, expect, it } from 'vitest';
import { declaredRows, NOT_SHOWN, ROWS, type RowId } from './rows.ts';
import { ALONE, PLAIN, RANDOM, SMALL_SLICES } from './scenarios/index.ts';

const scenarios = [...PLAIN, ...RANDOM, ...SMALL_SLICES, ...ALONE];

describe('the declared differences of the controller', () => {
  it('are those of docs/differences.md', () => {
    expect(Object.values(ROWS).sort()).toEqual([...declaredRows().keys()].sort());
  });

  it('each show in some scenario, or there is a reason why not', () => {
    const shown = new Set(scenarios.flatMap(({ differs = [] }) => differs.map(({ row }) => row)));
    const rest = (Object.keys(ROWS) as RowId[]).filter((row) => !shown.has(row));
    expect(rest.sort()).toEqual(Object.keys(NOT_SHOWN).sort());
  });

  it('refer to steps that there are', () => {
    for (const { name, steps, differs = [] } of scenarios) {
      const known = steps.map(({ step }) => step);
      expect(known, name).toEqual([...new Set(known)]);
      for (const { at } of differs) expect(known, name).toEqual(expect.arrayContaining(Object.keys(at)));
    }
  });

  it('belong to scenarios with names of their own', () => {
    const names = scenarios.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });
});
