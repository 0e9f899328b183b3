export type Cell = string | number;

/** Prints rows under headers, columns aligned, numbers to the right. */
export function printTable(title: string, headers: string[], rows: Cell[][]): void {
  const cells = [headers, ...rows.map((row) => row.map(format))];
  const widths = headers.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[], source?: Cell[]): string =>
    row
      .map((cell, i) => (typeof source?.[i] === 'number' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  process.stdout.write(`\n${title}\n`);
  process.stdout.write(`${line(headers)}\n${widths.map((w) => '-'.repeat(w)).join('  ')}\n`);
  for (const [i, row] of rows.entries()) process.stdout.write(`${line(cells[i + 1] ?? [], row)}\n`);
}

function format(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? String(cell) : cell.toFixed(Math.abs(cell) < 10 ? 2 : 1);
}

/** The value below which `share` (0..1) of the sorted samples lie. NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
