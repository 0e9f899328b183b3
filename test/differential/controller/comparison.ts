import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from './arena/arena.ts';
import { declaredRows, ROWS, type RowId } from './rows.ts';
import type { Aspect, Scenario } from './scenario.ts';

type Report = Record<string, Partial<Record<Aspect, unknown>>>;

/**
 * Two reports that are equal if, and only if, the outcomes differ in just what the scenario declares; else the difference between them
 * says what is wrong. Without flags all declared differences are to show; with `--like-upstream=all` only those for which there is none.
 * @throws the error of a side on which the scenario could not be played.
 */
export function reports(
  scenario: Scenario,
  running: 'as it comes' | 'as upstream',
  outcomes: { upstream: Outcome; slicewise: Outcome },
): { upstream: Report; slicewise: Report } {
  const { upstream, slicewise } = outcomes;
  if (upstream instanceof Error) throw upstream;
  if (slicewise instanceof Error) throw slicewise;
  const result: { upstream: Report; slicewise: Report } = { upstream: {}, slicewise: {} };
  const expected = (scenario.differs ?? []).filter(
    ({ row, only = running }) => only === running && (running === 'as it comes' || !hasFlag(row)),
  );
  for (const { step } of scenario.steps) {
    const [a, b] = [upstream.get(step), slicewise.get(step)];
    const [left, right]: [Report[string], Report[string]] = [{}, {}];
    for (const aspect of ['slices', 'writes', 'events', 'needless'] as const) {
      const row = expected.find(({ at }) => at[step]?.includes(aspect))?.row;
      if (row !== undefined && !isDeepStrictEqual(a?.[aspect], b?.[aspect])) continue;
      left[aspect] = a?.[aspect];
      right[aspect] = row === undefined ? b?.[aspect] : `should differ: ${ROWS[row]}`;
    }
    result.upstream[step] = left;
    result.slicewise[step] = right;
  }
  return result;
}

function hasFlag(row: RowId): boolean {
  return declaredRows().get(ROWS[row])?.flag ?? false;
}
