import { readdirSync, readFileSync } from 'node:fs';

/** The child of `parent` whose command is `name`. @throws Error when there is none. */
export function childOf(parent: number, name: string): { pid: number; lastArgument: string } {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (!status.startsWith(`Name:\t${name}\n`) || !status.includes(`\nPPid:\t${parent}\n`)) continue;
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
      return { pid: Number(pid), lastArgument: argv.at(-1) ?? '' };
    } catch (error) {
      // Processes end while they are looked at.
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
        throw error;
    }
  }
  throw new Error(`process ${parent} has no child "${name}"`);
}
