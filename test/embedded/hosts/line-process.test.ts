import { describe, expect, it } from 'vitest';
import { LineProcess } from '../../../src/embedded/hosts/line-process.ts';

describe('LineProcess', () => {
  it('cuts output into lines wherever the pieces end', () => {
    const lines: string[] = [];
    const process = new LineProcess(7, 'server', () => undefined);
    process.onLine((line) => lines.push(line));
    for (const piece of ['on', 'e\ntw', 'o\n\nlast']) process.push(piece);
    process.end({ code: 0, signal: null });
    expect(lines).toEqual(['one', 'two', '', 'last']);
  });

  it('finds a line that was written before anybody waited', async () => {
    const process = new LineProcess(7, 'server', () => undefined);
    process.push('listening on 80\n');
    expect(await process.waitForLine(/listening/)).toBe('listening on 80');
  });

  it('fails the wait when the process ends first, with its last lines', async () => {
    const process = new LineProcess(7, 'server --port 80', () => undefined);
    const waiting = process.waitForLine(/listening/);
    process.push('EADDRINUSE\n');
    process.end({ code: 1, signal: null });
    await expect(waiting).rejects.toThrow(
      '"server --port 80" ended with code 1 before it wrote /listening/; its last lines:\nEADDRINUSE',
    );
  });

  it('sends no signal to a process that has ended, whose id may be another one by now', () => {
    const sent: string[] = [];
    const process = new LineProcess(7, 'server', (signal) => sent.push(signal));
    process.kill('SIGTERM');
    process.end({ code: 0, signal: null });
    process.kill('SIGKILL');
    expect(sent).toEqual(['SIGTERM']);
  });
});
