import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** All files of the repository that are scripts for a shell, by name or by first line. */
function scripts(): string[] {
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return stdout
    .split('\0')
    .filter((path) => path.endsWith('.sh') || /^#!.*\b(ba|da)?sh\n/.test(firstLine(join(ROOT, path))));
}

function firstLine(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return '';
  return `${readFileSync(path, 'utf8').split('\n', 1)[0]}\n`;
}

const shellcheck = spawnSync('shellcheck', ['--version'], { stdio: 'ignore' }).status === 0;
if (!shellcheck)
  console.log('SKIPPED, shellcheck over all shell scripts: there is no shellcheck (apt-get install shellcheck)');

describe('the shell scripts', () => {
  it('are found', () => {
    expect(scripts()).toEqual(expect.arrayContaining(['.ci/run', 'test/e2e/kind/lib.sh', 'test/e2e/kind/run.sh']));
  });

  it.runIf(shellcheck).each(scripts())('shellcheck finds nothing wrong with %s', (path) => {
    const { status, stdout, stderr } = spawnSync('shellcheck', ['--external-sources', path], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe('');
    expect(status).toBe(0);
  });
});
