import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const launcher = new URL('../../bin/slicewise.js', import.meta.url).pathname;

async function slicewise(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(process.execPath, [launcher, ...args])) };
  } catch (error) {
    const failure = error as { code: number; stdout: string; stderr: string };
    return { code: failure.code, stdout: failure.stdout, stderr: failure.stderr };
  }
}

describe('the slicewise command', () => {
  it('lists every subcommand in its help', async () => {
    const { code, stdout } = await slicewise('--help');
    expect(code).toBe(0);
    for (const name of ['demo', 'devcluster', 'controller', 'proxier'])
      expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
  });

  it.each(['demo', 'devcluster', 'controller', 'proxier'])('%s has a help of its own', async (name) => {
    const { code, stdout } = await slicewise(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: slicewise ${name}`);
  });

  it('names an unknown command in one line and exits 2', async () => {
    const { code, stderr } = await slicewise('contoller');
    expect(code).toBe(2);
    expect(stderr).toBe('slicewise: unknown command "contoller"; "slicewise --help" lists all\n');
  });

  it('names an unknown flag in one line and exits 2', async () => {
    const { code, stderr } = await slicewise('controller', '--kubeconfg', 'x');
    expect(code).toBe(2);
    expect(stderr).toContain("unknown option '--kubeconfg'");
  });

  it('prints its version', async () => {
    const { stdout } = await slicewise('--version');
    expect(stdout).toMatch(/^slicewise \d+\.\d+\.\d+\n$/);
  });
});
