import type { Clock } from '../../clock.ts';
import type { Assembly } from '../../endpointslice/assemble.ts';
import type { SeverableClient } from '../../kube/http-client.ts';
import type { Logger } from '../../observe/logger.ts';
import type { FairLimiter } from '../../workqueue/fair-limiter.ts';
import { endInTime } from '../last-resort.ts';
import { within } from '../within.ts';
import type { Candidacy } from './candidacy.ts';

/** Milliseconds for each step. Together with the Lease's 3 s less than an orderly end may take. */
const DRAIN_MS = 4000;
const EVENTS_MS = 1000;
const CLOSE_MS = 500;

/** All that is to be ended, in `shutDown`'s order. */
export interface Running extends Assembly {
  client: SeverableClient;
  candidacy: Candidacy | undefined;
  limiter: FairLimiter | undefined;
  pages: { close(): Promise<void> };
  clock: Clock;
  logger: Logger;
}

/**
 * Ends everything in order: syncs in work are finished and no more are begun, then events are written, then the Lease is given back,
 * because until then this is the only replica that may write. A server that does not answer gets none of this, and does not keep the
 * process.
 */
export async function shutDown(running: Running): Promise<void> {
  const { controller, events, candidacy, limiter, pages, client, clock, logger } = running;
  endInTime(0, logger);
  const onError = (error: unknown) => logger.warn({ err: error }, 'shutdown');

  const drained = controller.stop();
  if (!(await within(clock, DRAIN_MS, drained, onError))) {
    logger.warn({ ...controller.queueStats() }, 'syncs in work are cut off');
    limiter?.close(new Error('the process is shutting down'));
    client.sever();
    await within(clock, CLOSE_MS, drained, onError);
  }
  await within(clock, EVENTS_MS, events.stop(), onError);
  await candidacy?.stop();
  await within(clock, CLOSE_MS, pages.close(), onError);
  await within(clock, CLOSE_MS, client.close(), onError);
}
