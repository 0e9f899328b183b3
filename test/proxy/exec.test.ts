import { closeSync, fstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realExec } from '../../src/proxy/exec.ts';
import { namelessFile } from '../../src/proxy/nameless-file.ts';

const request = { timeoutMs: 10_000, stdin: ['a\n', 'b\n'] };

describe('standard input of a program', () => {
  it('as a file can be opened by its name, which a socket cannot', async () => {
    const file = await realExec({ ...request, command: 'cat', args: ['/dev/stdin'], stdinFile: true });
    expect(file).toMatchObject({ exitCode: 0, stdout: 'a\nb\n' });
    const socket = await realExec({ ...request, command: 'cat', args: ['/dev/stdin'] });
    expect(socket).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it('as a file can be read from its start without being opened, too', async () => {
    const { stdout } = await realExec({ ...request, command: 'cat', args: [], stdinFile: true });
    expect(stdout).toBe('a\nb\n');
  });
});

describe('a file without a name', () => {
  it('lies in the first folder that can be written to, and leaves nothing there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slicewise-'));
    const file = namelessFile('text', ['/nonexistent', folder]);
    expect(readFileSync(file, 'utf8')).toBe('text');
    expect(fstatSync(file).nlink).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    closeSync(file);
    rmSync(folder, { recursive: true });
  });

  it('cannot be had where no folder can be written to', () => {
    expect(() => namelessFile('text', ['/nonexistent', '/proc'])).toThrow('/proc/');
  });
});
