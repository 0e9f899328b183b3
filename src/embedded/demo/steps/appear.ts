import { SERVICES } from '../../../kube/projections.ts';
import { resourceClient } from '../../../kube/typed.ts';
import { DEPLOYMENTS, PODS } from '../../kubelet/objects.ts';
import { check } from '../check.ts';
import { explainRule, serviceView } from '../rules-view.ts';
import { rulesFor } from '../rules-wait.ts';
import {
  isReady,
  nginxDeployment,
  nginxPods,
  nginxService,
  nginxServiceNow,
  nginxSlices,
  PORT,
  SERVICE_KEY,
  visitorPod,
} from '../service.ts';
import type { Step } from '../step.ts';
import { until } from '../until.ts';
import type { ClusterView } from '../view.ts';

/** Where the rules are shown. */
const SHOWN_NODE = 'worker1';
/** A third as iptables-save prints the kernel's nearest value, and a half. */
const PROBABILITIES = ['0.33333333349', '0.50000000000'];

export const appear: Step<ClusterView> = {
  title: 'A Deployment and a Service appear',
  async run({ world, out }) {
    const { client, signal } = world;
    out.command('kubectl create deployment nginx --image=nginx --replicas=3 --port=80');
    out.command(`kubectl expose deployment nginx --name=nginx-svc --port=${PORT} --target-port=80`);
    await resourceClient(client, DEPLOYMENTS).create(nginxDeployment);
    await resourceClient(client, SERVICES).create(nginxService);
    await resourceClient(client, PODS).create(visitorPod);
    const pods = await out.during(
      'three Pods run and are ready',
      until({ what: 'three ready Pods', signal }, async () => {
        const ready = (await nginxPods(client)).filter(isReady);
        return ready.length === 3 ? ready : undefined;
      }),
    );
    const zones = new Map(world.topology.nodes.map(({ name, zone }) => [name, zone]));
    out.table([
      ['POD', 'IP', 'NODE', 'ZONE'],
      ...pods.map(({ metadata, spec, status }) => [
        metadata.name,
        status?.podIP ?? '',
        spec.nodeName ?? '',
        zones.get(spec.nodeName ?? '') ?? '',
      ]),
    ]);

    out.blank();
    out.say(
      'The controller writes down in an EndpointSlice which Pods stand behind the Service, and whether they are ready.',
    );
    const slices = await out.during(
      'the EndpointSlice of nginx-svc has three ready endpoints',
      until({ what: 'EndpointSlices with three ready endpoints', signal }, async () => {
        const found = await nginxSlices(client);
        const full = found.filter(
          ({ endpoints }) => endpoints.filter(({ conditions }) => conditions?.ready).length === 3,
        );
        return found.length > 0 && full.length === found.length ? found : undefined;
      }),
    );
    out.table([
      ['SLICE', 'TYPE', 'PORT', 'ENDPOINTS'],
      ...slices.map(({ metadata, addressType, ports, endpoints }) => [
        metadata.name,
        addressType,
        `${ports[0]?.port}`,
        endpoints.map(({ addresses }) => addresses[0]).join(', '),
      ]),
    ]);

    out.blank();
    const { clusterIP } = (await nginxServiceNow(client)).spec;
    const ips = pods.map(({ status }) => status?.podIP ?? '');
    if (world.computed) {
      await rulesFor(world, ips);
      out.say(
        `The rules for nginx-svc that a proxier would write on ${SHOWN_NODE}, as iptables-save would print them:`,
      );
    } else {
      await out.during('the proxier of each node has turned it into rules', rulesFor(world, ips));
      out.say(`The rules for nginx-svc in the kernel of ${SHOWN_NODE}:`);
      out.command('iptables-save -t nat   # the lines of default/nginx-svc');
    }
    const view = serviceView(await world.rules(SHOWN_NODE), SERVICE_KEY);
    const names = new Map(pods.map(({ metadata, status }) => [status?.podIP ?? '', metadata.name]));
    check(view.dispatch?.includes(`-d ${clusterIP}/32`) ?? false, `no rule for ${clusterIP} in KUBE-SERVICES`);
    const [firstEndpoint = []] = view.endpoints.values();
    for (const rule of [view.dispatch, ...view.balance, ...firstEndpoint]) {
      if (rule) out.explained(rule, explainRule(rule, names));
    }
    out.say('The other two KUBE-SEP- chains look the same, each with its own Pod.');
    const found = view.balance.flatMap((rule) => /--probability (\S+)/.exec(rule)?.[1] ?? []);
    check(
      found.join() === PROBABILITIES.join(),
      `the probabilities are ${found.join(', ') || 'absent'} instead of ${PROBABILITIES.join(', ')}`,
    );
    out.holds('1/3, then 1/2 of the rest, then the rest: each Pod gets a third');
  },
};
