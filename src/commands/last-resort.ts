import type { Logger } from '../observe/logger.ts';

/** All of an orderly end must take less than the 10 s that are promised. */
const ALL_MS = 9500;

/** Ends the process with `code` if its orderly end, which begins now, takes too long. Does not keep the process by itself. */
export function endInTime(code: number, logger: Logger): void {
  setTimeout(() => {
    logger.warn('ending although not everything could be ended in order');
    process.exit(code);
  }, ALL_MS).unref();
}
