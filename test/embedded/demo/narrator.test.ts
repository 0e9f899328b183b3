import { describe, expect, it } from 'vitest';
import { formatMs, Narrator, type Terminal, terminalOf, wrap } from '../../../src/embedded/demo/narrator.ts';

function recorder(options: Partial<Terminal> = {}) {
  const terminal = { text: '', isTTY: false, color: false, columns: 100, ...options };
  const write = (text: string) => {
    terminal.text += text;
  };
  return Object.assign(terminal, { write });
}

describe('Narrator', () => {
  it('writes plain lines where there is no terminal, once each is done', async () => {
    const terminal = recorder();
    let now = 0;
    const out = new Narrator(terminal, () => now);
    out.title('1. Start');
    out.command('kubectl get pods');
    const work = Promise.withResolvers<number>();
    const during = out.during('three Pods', work.promise);
    now = 1234;
    work.resolve(3);
    expect(await during).toBe(3);
    expect(terminal.text).toBe('\n1. Start\n  $ kubectl get pods\n  ✓ three Pods (1.2 s)\n');
  });

  it('says what failed and passes the failure on', async () => {
    const terminal = recorder();
    const during = new Narrator(terminal).during('three Pods', Promise.reject(new Error('two')));
    await expect(during).rejects.toThrow('two');
    expect(terminal.text).toBe('  ✗ three Pods\n');
  });

  it('shows on a terminal what is under way, and leaves one line of it', async () => {
    const terminal = recorder({ isTTY: true });
    await new Narrator(terminal, () => 0).during('three Pods', Promise.resolve());
    expect(terminal.text).toBe('\r  ⠋ three Pods … 0.0 s\x1b[K\r\x1b[K  ✓ three Pods (0 ms)\n');
  });

  it('colours only where colour is wanted', () => {
    const stream = (isTTY: boolean) => ({ isTTY, columns: 80, write: () => true }) as unknown as NodeJS.WriteStream;
    expect(terminalOf(stream(true), {}).color).toBe(true);
    expect(terminalOf(stream(true), { NO_COLOR: '1' }).color).toBe(false);
    expect(terminalOf(stream(true), { TERM: 'dumb' }).color).toBe(false);
    expect(terminalOf(stream(false), {}).color).toBe(false);
    expect(terminalOf({ isTTY: true, columns: 0 } as NodeJS.WriteStream, {}).columns).toBe(100);
    const terminal = recorder({ color: true });
    new Narrator(terminal).holds('fine');
    expect(terminal.text).toBe('  \x1b[32m✓\x1b[0m fine\n');
  });

  it('draws bars on a common scale', () => {
    const terminal = recorder();
    new Narrator(terminal).bars(
      [
        { label: 'a', value: 100 },
        { label: 'bb', value: 50 },
      ],
      150,
    );
    const [first = '', second = ''] = terminal.text.split('\n');
    expect(first).toBe(`    a   ${'█'.repeat(40)}  100   66.7 %`);
    expect(second).toBe(`    bb  ${'█'.repeat(20)}${' '.repeat(20)}   50   33.3 %`);
  });

  it('aligns tables and wraps words', () => {
    const terminal = recorder();
    new Narrator(terminal).table([
      ['POD', 'IP'],
      ['nginx', '10.0.0.1'],
    ]);
    expect(terminal.text).toBe('    POD     IP\n    nginx   10.0.0.1\n');
    expect(wrap('one two  three', 7)).toEqual(['one two', 'three']);
    expect(wrap('incomprehensible words', 5)).toEqual(['incomprehensible', 'words']);
  });

  it('prints durations as people read them', () => {
    expect([0.4, 87.6, 999, 1500].map(formatMs)).toEqual(['0 ms', '88 ms', '999 ms', '1.5 s']);
  });
});
