import { messageOf } from '../../kube/values.ts';
import { UserError } from '../../user-error.ts';
import { defaultModes } from './defaults.ts';
import { readFeatureGates } from './feature-gates.ts';
import { flagSpec, type GivenFlags } from './flags.ts';
import { configFromFile } from './from-file.ts';
import { configFromFlags, lastText, withFlags, withHostname } from './from-flags.ts';
import type { KubeProxyConfiguration } from './types.ts';
import { refuseUnsupported, warnOfInert } from './unsupported.ts';
import { validate } from './validate.ts';

export interface LoadedProxyConfig {
  readonly config: KubeProxyConfiguration;
  /** One line each, for the log. */
  readonly warnings: readonly string[];
  /** The file that it was read from, if any; `text` is what a watcher compares with. */
  readonly file?: { readonly path: string; readonly text: string };
}

export interface LoadSources {
  readonly flags: GivenFlags;
  readFile(path: string): string;
}

/**
 * The configuration that flags and `--config` file add up to, by kube-proxy's precedence: with a file, flags that name a field of
 * it are ignored, except logging flags and `--hostname-override`. @throws UserError: one line that names fields and values.
 */
export function loadProxyConfig({ flags, readFile }: LoadSources): LoadedProxyConfig {
  const path = lastText(flags, 'config');
  if (!path) return complete(configFromFlags(flags), flags, []);
  const text = read(path, readFile);
  const { config, warnings } = configFromFile(path, text);
  const ignored = [...flags.keys()].filter((name) => flagSpec(name).group === 'config');
  const notes = ignored.map((name) => `--${name} is ignored, because --config is given`);
  return { ...complete(withFlags(config, flags, ['logging']), flags, [...warnings, ...notes]), file: { path, text } };
}

/** The defaults alone, as `--help` shows them. */
export function defaultProxyConfig(): KubeProxyConfiguration {
  return defaultModes(configFromFlags(new Map()));
}

function complete(config: KubeProxyConfiguration, flags: GivenFlags, warnings: readonly string[]): LoadedProxyConfig {
  const completed = withHostname(defaultModes(config), flags);
  const errors = validate(completed);
  if (errors.length > 0) throw new UserError(`the configuration is not valid: ${errors.join('; ')}`);
  refuseUnsupported(completed);
  const gates = readFeatureGates(completed.featureGates).warnings;
  return { config: completed, warnings: [...warnings, ...deprecations(flags), ...gates, ...warnOfInert(completed)] };
}

function deprecations(flags: GivenFlags): string[] {
  return [...flags.keys()].flatMap((name) => {
    const instead = flagSpec(name).deprecated;
    return instead ? [`--${name} is deprecated: ${instead}`] : [];
  });
}

function read(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    throw new UserError(`cannot read the configuration file ${path}: ${messageOf(error)}`, { cause: error });
  }
}
