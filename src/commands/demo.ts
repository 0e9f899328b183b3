import { Command } from 'commander';
import { CheckFailed } from '../embedded/demo/check.ts';
import { memoryWalk } from '../embedded/demo/memory-walk.ts';
import { Narrator, terminalOf } from '../embedded/demo/narrator.ts';
import { walk } from '../embedded/demo/walk.ts';
import { HostsError } from '../embedded/hosts/hosts.ts';
import { checkPrerequisites } from '../embedded/hosts/prerequisites.ts';
import { UserError } from '../user-error.ts';
import { Leaving, leavingSignal } from './leaving.ts';

export function demoCommand(): Command {
  return new Command('demo')
    .description('From Pod to packet: a small cluster in network namespaces, walked through step by step.')
    .option('--keep', 'stay after the last step, with the KUBECONFIG line to use kubectl; Ctrl-C removes everything')
    .option('--memory', 'only compute and show the rules, as where there are no network namespaces')
    .action((flags: { keep?: boolean; memory?: boolean }) => runDemo(flags));
}

async function runDemo(flags: { keep?: boolean; memory?: boolean }): Promise<void> {
  const out = new Narrator(terminalOf(process.stdout));
  const common = { out, signal: leavingSignal(), keep: flags.keep ?? false };
  try {
    const ability = checkPrerequisites();
    if (flags.memory) {
      await memoryWalk(common);
    } else if (ability.able) {
      await walk({ ...common, ability });
    } else {
      out.say(`No real network here: ${ability.reason}.`);
      if (ability.remedy) out.say(`To change that: ${ability.remedy}`);
      out.say('The walk goes on without packets: the rules are only computed and shown.');
      await memoryWalk(common);
    }
  } catch (error) {
    if (error instanceof Leaving) {
      out.blank();
      out.say(`${error.message}; everything has been removed`);
      process.exitCode = error.exitCode;
      return;
    }
    if (error instanceof CheckFailed || error instanceof HostsError) {
      throw new UserError(`the demo failed: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
