import { resourceClient } from '../../../kube/typed.ts';
import { runLoad } from '../../hosts/load-result.ts';
import { PODS } from '../../kubelet/objects.ts';
import { READY_ANNOTATION } from '../../kubelet/pod-status.ts';
import { check, checkAnswered, checkOnly } from '../check.ts';
import { formatMs, type Narrator } from '../narrator.ts';
import { serviceView } from '../rules-view.ts';
import { kernelHas, rulesFor } from '../rules-wait.ts';
import { NAMESPACE, nginxPods, nginxServiceNow, PORT, SERVICE_KEY, scaleNginx, VISITOR } from '../service.ts';
import type { Step } from '../step.ts';
import type { World } from '../world.ts';
import { scaled } from './scaled.ts';
import { showShares } from './share.ts';

const VISITOR_HOST = `${NAMESPACE}/${VISITOR}`;
/** Where the time to the kernel is taken. */
const NODE = 'worker1';
const REQUESTS = 120;
/** A refused connection comes back in milliseconds; one into the void would take seconds to time out. */
const AT_ONCE_MS = 500;

export const change: Step<World> = {
  title: 'Pods come and go',
  async run({ world, out }) {
    await unreadyAndBack(world, out);
    out.blank();
    await scaleUp(world, out);
    out.blank();
    await scaleToNothing(world, out);
    out.blank();
    await scaleBack(world, out);
  },
};

async function unreadyAndBack(world: World, out: Narrator): Promise<void> {
  const pods = await nginxPods(world.client);
  const [pod] = pods;
  const name = pod?.metadata.name ?? '';
  const ip = pod?.status?.podIP ?? '';
  const chain = /-j (KUBE-SVC-\S+)/.exec(serviceView(await world.rules(NODE), SERVICE_KEY).dispatch ?? '')?.[1] ?? '';
  out.say(`${name} says that it is not ready. It goes on running, but no new connection may reach it.`);

  out.command(`kubectl annotate pod ${name} ${READY_ANNOTATION}=false   # plays a failing readiness probe`);
  const left = await timeToKernel(world, { name, ip, chain, ready: false });
  out.holds(`from "not ready" at the API server to the kernel of ${NODE}: ${formatMs(left)}`);
  const others = pods.map(({ metadata }) => metadata.name).filter((other) => other !== name);
  await rulesFor(
    world,
    pods.filter((other) => other !== pod).map(({ status }) => status?.podIP ?? ''),
  );
  const without = await load(world);
  showShares(out, without, others);
  checkOnly(without, others);
  out.holds(`${others.length} Pods share the requests, and ${name} gets none`);

  out.command(`kubectl annotate pod ${name} ${READY_ANNOTATION}-`);
  const back = await timeToKernel(world, { name, ip, chain, ready: true });
  out.holds(`ready again, and back in the kernel after ${formatMs(back)}`);
  out.say(
    'A proxier writes at most once a second (minSyncPeriod): alone, a change takes milliseconds; right after another it waits.',
  );
  await rulesFor(
    world,
    pods.map(({ status }) => status?.podIP ?? ''),
  );
}

/** Milliseconds from the moment at which the API server had the Pod's status to the moment at which the kernel had the rules. */
async function timeToKernel(
  world: World,
  change: { name: string; ip: string; chain: string; ready: boolean },
): Promise<number> {
  const { name, ip, chain, ready } = change;
  const patch = { metadata: { annotations: { [READY_ANNOTATION]: ready ? null : 'false' } } };
  const [written, inKernel] = await Promise.all([
    world.statusTimes.whenReady(name, ready),
    kernelHas(world, NODE, chain, ip, ready),
    resourceClient(world.client, PODS).patch(NAMESPACE, name, patch, 'merge'),
  ]);
  return inKernel - written;
}

async function scaleUp(world: World, out: Narrator): Promise<void> {
  out.command('kubectl scale deployment nginx --replicas=6');
  await scaleNginx(world.client, 6);
  const ips = await out.during('six Pods run, and all nodes know them', scaled(world, 6));
  const result = await load(world);
  const pods = (await nginxPods(world.client)).map(({ metadata }) => metadata.name);
  showShares(out, result, pods);
  check(
    pods.every((pod) => (result.pods[pod] ?? 0) > 0),
    `of ${ips.length} Pods only ${Object.keys(result.pods).length} answered`,
  );
  out.holds('all six answer');
}

async function scaleToNothing(world: World, out: Narrator): Promise<void> {
  const { clusterIP } = (await nginxServiceNow(world.client)).spec;
  out.command('kubectl scale deployment nginx --replicas=0');
  await scaleNginx(world.client, 0);
  await out.during('no Pod is left, and all nodes know it', scaled(world, 0));
  const rule = (await world.rules(NODE)).split('\n').find((line) => line.includes(`"${SERVICE_KEY} has no endpoints"`));
  if (rule) {
    out.explained(
      rule,
      'Nobody could answer, so the kernel says so at once instead of letting the caller wait for a time-out.',
    );
  }
  for (const [host, who] of [
    [VISITOR_HOST, `the Pod ${VISITOR}`],
    [NODE, `the node ${NODE}`],
  ] as const) {
    const result = await runLoad(world.hosts, host, { address: clusterIP, port: PORT, count: 3, concurrency: 1 });
    const refused = result.errors.ECONNREFUSED === result.requests;
    check(refused, `from ${who}: expected refused connections, got ${JSON.stringify(result.errors)}`);
    check(result.slowestMs < AT_ONCE_MS, `from ${who}: refused only after ${formatMs(result.slowestMs)}`);
    out.holds(`from ${who}: connection refused after ${formatMs(result.slowestMs)}`);
  }
}

async function scaleBack(world: World, out: Narrator): Promise<void> {
  out.command('kubectl scale deployment nginx --replicas=3');
  await scaleNginx(world.client, 3);
  await out.during('three Pods again', scaled(world, 3));
  const result = await load(world);
  check(Object.keys(result.pods).length === 3, `${Object.keys(result.pods).length} of 3 Pods answered`);
  out.holds('and all three answer');
}

/** Requests from the visitor; all must be answered. */
async function load(world: World) {
  const { clusterIP } = (await nginxServiceNow(world.client)).spec;
  const result = await runLoad(world.hosts, VISITOR_HOST, { address: clusterIP, port: PORT, count: REQUESTS });
  checkAnswered(result);
  return result;
}
