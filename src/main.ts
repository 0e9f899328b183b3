import { CommanderError } from 'commander';
import { programHelp, subcommands } from './commands/index.ts';
import { redactSecrets } from './observe/redact.ts';
import { UserError } from './user-error.ts';
import { VERSION } from './version.ts';

/** Loads only the subcommand that was asked for: the proxier must not pay for what the demo imports. */
async function run(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    process.stdout.write(programHelp());
    return name === undefined ? 1 : 0;
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`slicewise ${VERSION}\n`);
    return 0;
  }
  const [wanted, args] = name === 'help' ? [rest[0], ['--help']] : [name, rest];
  const found = subcommands.find((s) => s.name === wanted);
  if (!found) throw new UserError(`unknown command "${wanted}"; "slicewise --help" lists all`, { exitCode: 2 });
  const command = (await found.load()).name(`slicewise ${found.name}`).exitOverride();
  await command.parseAsync(args, { from: 'user' });
  return 0;
}

try {
  process.exitCode = (await run(process.argv.slice(2))) || process.exitCode || 0;
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed its own line already.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof UserError) {
    process.stderr.write(redactSecrets(`slicewise: ${error.message}\n`));
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(`slicewise: unexpected failure: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 70;
  }
}
