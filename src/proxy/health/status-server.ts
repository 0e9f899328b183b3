import type { Clock, Timer } from '../../clock.ts';
import { messageOf } from '../../kube/values.ts';
import type { BindAddress } from '../../observe/bind-address.ts';
import { type Route, type RunningHttpServer, startHttpServer } from '../../observe/http-server.ts';
import type { Logger } from '../../observe/logger.ts';

export interface StatusServerOptions {
  readonly name: 'healthz' | 'metrics';
  readonly address: BindAddress;
  readonly routes: Record<string, Route>;
  /** `bindAddressHardFail`: give up at once instead of trying again. */
  readonly hardFail: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The real one unless a test says otherwise. */
  readonly listen?: typeof startHttpServer;
}

export interface StatusServer {
  /** Where it listens; `undefined` until the address could be bound. */
  readonly address: BindAddress | undefined;
  close(): Promise<void>;
}

const RETRY_MS = 5_000;

/**
 * Serves `/healthz` or `/metrics` pages for the life of the process. Resolves after the first try to listen; one that fails is
 * repeated every 5 s. @throws UserError with `hardFail`, when the address cannot be bound.
 */
export async function serveStatus(options: StatusServerOptions): Promise<StatusServer> {
  const { name, address, routes, hardFail, clock, logger, listen = startHttpServer } = options;
  let running: RunningHttpServer | undefined;
  let timer: Timer | undefined;
  let attempt: Promise<void> = Promise.resolve();
  let closed = false;

  const onError = (error: unknown, path: string) =>
    logger.error({ err: messageOf(error), path }, `${name} page failed`);
  const tryToListen = async () => {
    try {
      running = await listen({ name, address, routes, onError });
    } catch (error) {
      if (hardFail) throw error;
      logger.warn({ err: messageOf(error) }, `${name} server could not start; trying again in ${RETRY_MS / 1000} s`);
      if (!closed) timer = clock.setTimer(again, RETRY_MS);
    }
  };
  const again = () => {
    attempt = tryToListen();
  };

  await tryToListen();
  return {
    get address() {
      return running?.address;
    },
    async close() {
      closed = true;
      timer?.cancel();
      await attempt;
      await running?.close();
    },
  };
}
