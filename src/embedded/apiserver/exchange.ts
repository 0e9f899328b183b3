import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../observe/logger.ts';
import type { Authenticator } from './auth.ts';
import type { Faults } from './faults.ts';
import type { Registry } from './registry.ts';
import type { RequestInfo } from './request.ts';
import type { RequestLog } from './request-log.ts';
import type { WatchHub } from './watch-hub.ts';

/** Everything that answering a request needs; shared by all listeners. */
export interface Serving {
  registry: Registry;
  watches: WatchHub;
  faults: Faults;
  requests: RequestLog;
  authenticator: Authenticator;
  logger: Logger;
}

/** One request on its way through the server. */
export interface Exchange {
  serving: Serving;
  message: IncomingMessage;
  response: ServerResponse;
  info: RequestInfo;
  user: string;
  /** Texts for `Warning` headers. */
  warnings: string[];
}
