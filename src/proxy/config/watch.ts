import type { Clock } from '../../clock.ts';
import { messageOf } from '../../kube/values.ts';
import { configYaml } from './print.ts';
import type { KubeProxyConfiguration } from './types.ts';

/** What the watcher remembers between two looks at the file. */
export interface WatchState {
  /** Text that stands for the configuration in use. */
  readonly inUse: string;
  /** A new text, seen once; it counts when the next look sees it again, so that half-written files are left alone. */
  readonly candidate?: string;
  /** What the log has been told of already. */
  readonly complaint?: string;
}

export type Look = { readonly text: string } | { readonly problem: string };

export interface WatchStep {
  readonly state: WatchState;
  /** A line for the log: the file cannot be used, and why. */
  readonly warning?: string;
  /** The file says something new and valid: leave, to be started with it. */
  readonly restart?: true;
}

/**
 * One look at the configuration file. The process is asked to leave only for content that parses, validates and means something
 * else than what it runs with; so a bad edit is a line in the log of a proxier that goes on, not a crash loop.
 *
 * @param load the configuration that a text means. @throws on a text that cannot be used.
 */
export function stepConfigWatch(
  state: WatchState,
  look: Look,
  config: KubeProxyConfiguration,
  load: (text: string) => KubeProxyConfiguration,
): WatchStep {
  const { inUse } = state;
  if ('problem' in look) return complain(state, look.problem, `the configuration file cannot be read: ${look.problem}`);
  const { text } = look;
  if (text === inUse) return { state: { inUse } };
  if (text === state.complaint) return { state };
  if (text !== state.candidate) return { state: { ...state, candidate: text } };
  try {
    return configYaml(load(text)) === configYaml(config) ? { state: { inUse: text } } : { state, restart: true };
  } catch (error) {
    const line = `the changed configuration file is not used, the one from before stays in effect: ${messageOf(error)}`;
    return complain(state, text, line);
  }
}

function complain({ inUse, complaint }: WatchState, about: string, warning: string): WatchStep {
  return complaint === about ? { state: { inUse, complaint } } : { state: { inUse, complaint: about }, warning };
}

export interface ConfigWatchOptions {
  readonly file: { readonly path: string; readonly text: string };
  readonly config: KubeProxyConfiguration;
  load(text: string): KubeProxyConfiguration;
  readFile(path: string): Promise<string>;
  readonly clock: Clock;
  /**
   * Milliseconds between two looks. Looking again and again, rather than waiting for the file system to tell, also sees what a
   * kubelet does to a mounted ConfigMap: it swaps a symbolic link two directories up.
   */
  readonly intervalMs?: number;
  onWarning(line: string): void;
  /** Called once; nothing more happens after it. */
  onRestart(): void;
}

/** Looks at the file until it asks for a restart or is stopped. */
export function watchConfigFile(options: ConfigWatchOptions): { stop(): void } {
  const { file, config, clock, intervalMs = 2_000 } = options;
  let state: WatchState = { inUse: file.text };
  let stopped = false;

  const look = (): Promise<Look> =>
    options.readFile(file.path).then(
      (text) => ({ text }),
      (error: unknown) => ({ problem: messageOf(error) }),
    );
  const tick = async () => {
    const seen = await look();
    if (stopped) return;
    const step = stepConfigWatch(state, seen, config, options.load);
    state = step.state;
    if (step.warning) options.onWarning(step.warning);
    if (step.restart) options.onRestart();
    else timer = clock.setTimer(() => void tick(), intervalMs);
  };
  let timer = clock.setTimer(() => void tick(), intervalMs);

  return {
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}
