import type { Clock } from '../clock.ts';
import type { Logger } from '../observe/logger.ts';
import type { GivenFlags } from './config/flags.ts';
import { type LoadedProxyConfig, loadProxyConfig } from './config/load.ts';
import { isDetectLocalMode } from './config/types.ts';
import { watchConfigFile } from './config/watch.ts';
import type { Ending } from './ending.ts';
import { type NodeFacts, nodeChange, nodeFacts } from './node.ts';
import type { OwnNode } from './own-node.ts';

export interface NodeFollower {
  /** What the proxier was started with. */
  start: NodeFacts;
  detectLocalMode: string;
  setZone: (zone: string) => void;
  ending: Pick<Ending, 'fail'>;
  logger: Logger;
}

/** Hands a new zone on, and ends the run where rules cannot follow a change of the Node. */
export function followNode(node: OwnNode, { start, detectLocalMode, setZone, ending, logger }: NodeFollower): void {
  let facts = start;
  node.onChange(() => {
    if (!node.current || !isDetectLocalMode(detectLocalMode)) return;
    const now = nodeFacts(node.current);
    const change = nodeChange(facts, now, detectLocalMode);
    facts = now;
    for (const note of change.notes) logger.warn(note);
    if (change.zone !== undefined) setZone(change.zone);
    if (change.exit !== undefined) ending.fail(change.exit);
  });
}

export interface ConfigFollower {
  flags: GivenFlags;
  readFile: (path: string) => Promise<string>;
  ending: Pick<Ending, 'end'>;
  clock: Clock;
  logger: Logger;
}

/** Ends the run when the configuration file says something new and valid. @returns undefined when there is no file */
export function followConfig(
  { file, config }: LoadedProxyConfig,
  { flags, readFile, ending, clock, logger }: ConfigFollower,
): { stop(): void } | undefined {
  if (!file) return undefined;
  return watchConfigFile({
    file,
    config,
    load: (text) => loadProxyConfig({ flags, readFile: () => text }).config,
    readFile,
    clock,
    onWarning: (line) => logger.warn(line),
    onRestart: () => {
      logger.info({ file: file.path }, 'the configuration file has changed; ending, to be started with it');
      ending.end();
    },
  });
}
