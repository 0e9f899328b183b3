import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../endpointslice/support/cluster.ts';
import type { Arena } from './arena.ts';
import { Churn } from './churn.ts';
import { DURATIONS, type Exit } from './replica.ts';
import { Replicas } from './replicas.ts';
import { takeovers, writesOutOfTurn } from './write-log.ts';

const TEST_MS = 120_000;
/** What a busy machine may add to a time that was promised. The promise itself is proven with a fake clock, in elector.test.ts. */
const SLACK_MS = 2500;
const EXIT_LINE = ['leader election: lease lost'];

/** Three replicas under churn, whose leaders are taken away in every way there is. */
export function haScenarios(where: string, start: () => Promise<Arena>): void {
  describe(`three replicas under churn, on ${where}`, () => {
    let arena: Arena;
    let replicas: Replicas;
    let churn: Churn;

    beforeAll(async () => {
      arena = await start();
      churn = new Churn(arena.client);
      replicas = new Replicas(arena);
      await churn.prepare();
      await replicas.start();
      await eventually(async () => {
        const { found, expected } = churn.outcome();
        expect(found).toEqual(expected);
      });
      churn.start();
    }, TEST_MS);

    afterAll(async () => {
      await replicas?.stop();
      await churn?.stop();
      await arena?.stop();
    });

    const expectExit = (exit: Exit, expected: Exit) => expect(exit).toEqual(expected);

    it(
      'go on when the leader is killed',
      async () => {
        const { leader } = replicas;
        leader.kill('SIGKILL');
        await replicas.successor(leader);
        expectExit(await leader.exit, { code: null, signal: 'SIGKILL' });
        await replicas.replace(leader);
      },
      TEST_MS,
    );

    it(
      'go on when the leader stands still; on waking it writes nothing and ends',
      async () => {
        const { leader } = replicas;
        leader.kill('SIGSTOP');
        await replicas.successor(leader);
        // Changes pile up in its sockets meanwhile.
        await wait(1000);
        leader.kill('SIGCONT');
        expectExit(await leader.exit, { code: 1, signal: null });
        expect(leader.errors).toEqual(EXIT_LINE);
        await replicas.replace(leader);
      },
      TEST_MS,
    );

    it(
      'go on when the leader is cut off; it ends by itself, and nothing of it arrives later',
      async () => {
        const { leader } = replicas;
        leader.network.cut();
        expectExit(await leader.exit, { code: 1, signal: null });
        expect(leader.errors).toEqual(EXIT_LINE);
        await replicas.successor(leader);
        leader.network.mend();
        await replicas.replace(leader);
      },
      TEST_MS,
    );

    it(
      'stay as they are when one that waits stands still or is cut off',
      async () => {
        const { leader } = replicas;
        const [paused, cut] = replicas.all.filter((replica) => replica !== leader);
        paused?.kill('SIGSTOP');
        cut?.network.cut();
        await wait(DURATIONS.lease + DURATIONS.retry);
        paused?.kill('SIGCONT');
        cut?.network.mend();
        await wait(3 * DURATIONS.retry);
        expect(replicas.leader).toBe(leader);
      },
      TEST_MS,
    );

    it(
      'go on at once when the leader is told to end, and it ends well',
      async () => {
        const { leader } = replicas;
        leader.kill('SIGTERM');
        expectExit(await leader.exit, { code: 0, signal: null });
        await replicas.successor(leader);
        await replicas.replace(leader);
      },
      TEST_MS,
    );

    it(
      'never wrote two at a time, lost no endpoint, and were never without a leader for longer than promised',
      async () => {
        await churn.settle();
        await eventually(async () => {
          const { found, expected } = churn.outcome();
          expect(found).toEqual(expected);
        });
        expect(churn.missing).toEqual([]);
        const log = await arena.log();
        expect(writesOutOfTurn(log)).toEqual([]);
        const changes = takeovers(log);
        const writes = log.filter(({ plural }) => plural === 'endpointslices').length;
        console.log(`HA on ${where}: ${writes} requests about slices; ${JSON.stringify(changes)}`);
        expect(changes).toHaveLength(4);
        for (const { afterLastRenewalMs, firstWriteMs } of changes) {
          expect(afterLastRenewalMs).toBeLessThan(DURATIONS.lease + DURATIONS.retry + SLACK_MS);
          expect(firstWriteMs).toBeLessThan(1000 + SLACK_MS);
        }
      },
      TEST_MS,
    );
  });
}
