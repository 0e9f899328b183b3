import { Command } from 'commander';
import { addControllerFlags, type ControllerFlags } from './controller/flags.ts';

/** `slicewise controller`: see controller/, whose run.ts puts everything together. */
export function controllerCommand(): Command {
  const command = new Command('controller').description(
    'The EndpointSlice controller: turns Services and Pods into EndpointSlices.',
  );
  return addControllerFlags(command)
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`) })
    .action(async (flags: ControllerFlags) => (await import('./controller/run.ts')).runController(flags));
}
