import { SERVICES } from '../../../kube/projections.ts';
import { resourceClient } from '../../../kube/typed.ts';
import { runLoad } from '../../hosts/load-result.ts';
import { check, checkAnswered, checkOnly } from '../check.ts';
import type { Narrator } from '../narrator.ts';
import { nodePortRule } from '../rules-view.ts';
import { NAMESPACE, nginxPods, nginxServiceNow, PORT, SERVICE, SERVICE_KEY } from '../service.ts';
import type { Step } from '../step.ts';
import { until } from '../until.ts';
import type { World } from '../world.ts';
import { showShares } from './share.ts';

const REQUESTS = 60;

export const outside: Step<World> = {
  title: 'From outside, and from a Pod to itself',
  async run({ world, out }) {
    await throughNodePort(world, out);
    out.blank();
    await toItself(world, out);
  },
};

async function throughNodePort(world: World, out: Narrator): Promise<void> {
  const { client, hosts, topology } = world;
  out.say(
    'A ClusterIP means nothing outside of the cluster. A NodePort opens the Service on the address of every node.',
  );
  out.command(`kubectl patch service ${SERVICE} --patch '{"spec": {"type": "NodePort"}}'`);
  await resourceClient(client, SERVICES).patch(NAMESPACE, SERVICE, { spec: { type: 'NodePort' } }, 'merge');
  const port = (await nginxServiceNow(client)).spec.ports?.[0]?.nodePort;
  check(port !== undefined, `Service ${SERVICE_KEY} was given no node port`);
  const workers = topology.nodes.filter(({ controlPlane }) => !controlPlane);
  const rules = Promise.all(
    workers.map(({ name }) =>
      until({ what: `node port ${port} in the rules of ${name}`, signal: world.signal }, async () =>
        nodePortRule(await world.rules(name), SERVICE_KEY),
      ),
    ),
  );
  await out.during(`port ${port} is open on every node`, rules);
  const pods = (await nginxPods(client)).map(({ metadata }) => metadata.name);
  for (const { name, ipv4 } of workers) {
    const asking = runLoad(hosts, topology.client.name, { address: ipv4, port, count: REQUESTS });
    const result = await out.during(`${REQUESTS} requests from a client outside to ${name}, ${ipv4}:${port}`, asking);
    checkAnswered(result);
    showShares(out, result, pods);
    checkOnly(result, pods);
    check(Object.keys(result.pods).length === pods.length, `not all Pods answered through ${name}`);
    const seen = Object.keys(result.clients);
    check(!seen.includes(topology.client.ipv4), 'a Pod saw the client itself, so its answer bypassed the node');
    out.say(
      `The Pods saw ${seen.join(' and ')} instead of the client's ${topology.client.ipv4}: the node stands in for it, so that answers come back through the node.`,
    );
  }
  out.holds('both workers lead to all Pods, wherever these run');
}

/** Hairpin: without masquerading the Pod would see its own address as the client, and answer itself past the node. */
async function toItself(world: World, out: Narrator): Promise<void> {
  const [pod] = await nginxPods(world.client);
  const name = pod?.metadata.name ?? '';
  const { clusterIP } = (await nginxServiceNow(world.client)).spec;
  const asking = runLoad(world.hosts, `${NAMESPACE}/${name}`, { address: clusterIP, port: PORT, count: REQUESTS });
  const result = await out.during(`${name} asks nginx-svc, which it is a part of, ${REQUESTS} times`, asking);
  checkAnswered(result);
  const own = result.pods[name] ?? 0;
  check(own > 0, `${name} never reached itself`);
  const gateway = world.topology.nodes.find((node) => node.name === pod?.spec.nodeName)?.podGateway ?? '';
  check(
    result.clients[gateway] === own,
    `${name} answered itself ${own} times, but saw ${gateway} ${result.clients[gateway] ?? 0} times`,
  );
  out.holds(
    `${own} times it was dealt itself (hairpin) and saw ${gateway}, its node, as the client; the others saw ${pod?.status?.podIP}`,
  );
}
