import { messageOf } from '../kube/values.ts';

/**
 * Makes the kernel's out-of-memory killer spare this process (-1000) or take it first (1000).
 * @returns why it could not be done, a line for the log: a proxier runs without, too
 */
export function setOomScore(score: number, writeFile: (path: string, text: string) => void): string | undefined {
  try {
    writeFile('/proc/self/oom_score_adj', String(score));
    return undefined;
  } catch (error) {
    return `oom_score_adj could not be set to ${score}: ${messageOf(error)}`;
  }
}
