import pino from 'pino';
import { redactSecrets } from './redact.ts';

/** The part of pino that Slicewise uses: one line an event, fields first. */
export type Logger = pino.Logger;

export type LogFormat = 'json' | 'text';

export interface LoggerOptions {
  /** pino level name. */
  level?: string;
  /** Where lines go; standard error by default, so that standard output stays for data. */
  destination?: pino.DestinationStream;
  /** Told of each line at level `warn` or above, as it was written. */
  onTrouble?: (line: string) => void;
}

/** kubectl's and kube-controller-manager's `-v` as a level of pino's. */
export function levelOf(verbosity: number): 'info' | 'debug' | 'trace' {
  if (verbosity >= 6) return 'trace';
  return verbosity >= 4 ? 'debug' : 'info';
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', destination = pino.destination({ dest: 2, sync: true }), onTrouble } = options;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        streamWrite(line) {
          const written = redactSecrets(line);
          if (onTrouble && /^\{"level":[456]0,/.test(written)) onTrouble(written);
          return written;
        },
      },
    },
    destination,
  );
}

/** As `createLogger`, in the format asked for; without one, text for a person at a terminal and JSON for everything else. */
export async function openLogger(options: LoggerOptions & { format: LogFormat | undefined }): Promise<Logger> {
  const terminal = process.stderr.isTTY;
  const { format = terminal ? 'text' : 'json' } = options;
  if (format === 'json' || options.destination) return createLogger(options);
  // Loaded only here: 50 ms that no Pod should pay at its start.
  const { default: pretty } = await import('pino-pretty');
  const destination = pretty({
    destination: 2,
    sync: true,
    colorize: terminal,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return createLogger({ ...options, destination });
}

export const silentLogger: Logger = pino({ level: 'silent' });
