import { Command } from 'commander';
import { addControllerFlags, type ControllerFlags } from './controller/flags.ts';
import { runController } from './controller/run.ts';

/** `slicewise controller`: see controller/, whose run.ts puts everything together. */
export function controllerCommand(): Command {
  const command = new Command('controller').description(
    'The EndpointSlice controller: turns Services and Pods into EndpointSlices.',
  );
  return addControllerFlags(command)
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`) })
    .action((flags: ControllerFlags) => runController(flags));
}
