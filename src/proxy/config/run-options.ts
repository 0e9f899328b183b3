import { flagValue } from './flag-values.ts';
import { flagSpec, type GivenFlags } from './flags.ts';

/** What this one run is to do: flags that are no part of the configuration, and act beside `--config` too. */
export interface RunOptions {
  /** Path; write the configuration there and exit. */
  readonly writeConfigTo: string | undefined;
  readonly cleanup: boolean;
  readonly initOnly: boolean;
  /** URL of the API server. */
  readonly master: string | undefined;
}

export function runOptions(flags: GivenFlags): RunOptions {
  const text = (name: string) => flags.get(name)?.at(-1) || undefined;
  const on = (name: string) => {
    const texts = flags.get(name);
    return texts !== undefined && flagValue(flagSpec(name), texts) === true;
  };
  return {
    writeConfigTo: text('write-config-to'),
    cleanup: on('cleanup'),
    initOnly: on('init-only'),
    master: text('master'),
  };
}

/** The level of our log that says about as much as kube-proxy's `--v` of that number. */
export function logLevel(verbosity: number): 'info' | 'debug' | 'trace' {
  if (verbosity < 4) return 'info';
  return verbosity < 6 ? 'debug' : 'trace';
}
