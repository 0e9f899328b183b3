import pino from 'pino';

/** The part of pino that Slicewise uses: one line an event, fields first. */
export type Logger = pino.Logger;

export interface LoggerOptions {
  /** pino level name. */
  level?: string;
  /** Where lines go; standard error by default, so that standard output stays for data. */
  destination?: pino.DestinationStream;
}

export function createLogger(options: LoggerOptions = {}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['token', '*.token', 'headers.authorization', '*.headers.authorization'], censor: '[redacted]' },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
