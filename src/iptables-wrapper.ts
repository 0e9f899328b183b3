#!/usr/local/bin/node --disable-warning=ExperimentalWarning
import { basename } from 'node:path';
import { realExec } from './proxy/exec.ts';
import { variantInUse } from './proxy/iptables/backend.ts';
import { variantProgram } from './proxy/iptables/variant-program.ts';
import { UserError } from './user-error.ts';

/**
 * What `iptables`, `ip6tables-save` and their like are in the proxier's image: becomes the program of that name of the variant that
 * the host uses, chosen as the proxier chooses. Whoever enters the container so sees the node's rules, whichever variant holds them.
 */
const PROGRAMS = '/usr/sbin';

try {
  const [, own = '', ...args] = process.argv;
  const program = variantProgram(basename(own), await variantInUse(realExec));
  process.execve?.(`${PROGRAMS}/${program}`, [program, ...args], process.env);
  throw new UserError(`this Node cannot become another program: ${process.version}`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`iptables-wrapper: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
