import { type LoadResult, runLoad } from '../../hosts/load-result.ts';
import { checkAnswered, checkFair, fairShare } from '../check.ts';
import { formatMs, type Narrator } from '../narrator.ts';
import { NAMESPACE, nginxPods, nginxServiceNow, PORT, VISITOR } from '../service.ts';
import type { Step } from '../step.ts';
import type { World } from '../world.ts';

const REQUESTS = 300;
const NODE = 'worker2';

export const share: Step<World> = {
  title: 'Who answers?',
  async run({ world, out }) {
    const { clusterIP } = (await nginxServiceNow(world.client)).spec;
    const pods = (await nginxPods(world.client)).map(({ metadata }) => metadata.name);
    const { expected, tolerance } = fairShare(REQUESTS, pods.length);
    out.say(
      `${REQUESTS} requests to http://${clusterIP}:${PORT}, each over a new connection, because the kernel rolls the dice once a connection. ` +
        `A fair share is ${expected}; up to ${Math.round(tolerance)} more or fewer (four standard deviations) are within chance.`,
    );
    const askers = [
      { host: `${NAMESPACE}/${VISITOR}`, who: 'a Pod' },
      { host: NODE, who: `the node ${NODE} itself` },
    ];
    for (const { host, who } of askers) {
      const asking = runLoad(world.hosts, host, { address: clusterIP, port: PORT, count: REQUESTS });
      const result = await out.during(`${REQUESTS} requests from ${who}`, asking);
      checkAnswered(result);
      showShares(out, result, pods);
      checkFair(result, pods);
    }
    out.holds('every request was answered, and every share is fair');
  },
};

export function showShares(out: Narrator, result: LoadResult, pods: readonly string[]): void {
  out.bars(
    pods.map((pod) => ({ label: pod, value: result.pods[pod] ?? 0 })),
    result.requests,
  );
  out.say(
    `${(result.requests / (result.totalMs / 1000)).toFixed(0)} requests a second, the slowest in ${formatMs(result.slowestMs)}.`,
  );
}
