import { resourceClient } from '../../../kube/typed.ts';
import { PODS } from '../../kubelet/objects.ts';
import { READY_ANNOTATION } from '../../kubelet/pod-status.ts';
import { rulesFor } from '../rules-wait.ts';
import { NAMESPACE, nginxPods, SERVICE_KEY, scaleNginx } from '../service.ts';
import type { Step } from '../step.ts';
import type { ClusterView } from '../view.ts';
import { scaled } from './scaled.ts';

const NODE = 'worker1';

/** As `change`, where nobody can send a packet: what the rules would be. */
export const computedChange: Step<ClusterView> = {
  title: 'Pods come and go',
  async run({ world, out }) {
    const pods = await nginxPods(world.client);
    const [pod, ...others] = pods;
    const name = pod?.metadata.name ?? '';
    const annotate = (value: string | null) =>
      resourceClient(world.client, PODS).patch(
        NAMESPACE,
        name,
        { metadata: { annotations: { [READY_ANNOTATION]: value } } },
        'merge',
      );
    out.command(`kubectl annotate pod ${name} ${READY_ANNOTATION}=false   # plays a failing readiness probe`);
    await annotate('false');
    await out.during(
      `${name} is in no rule any more`,
      rulesFor(
        world,
        others.map(({ status }) => status?.podIP ?? ''),
      ),
    );
    out.command(`kubectl annotate pod ${name} ${READY_ANNOTATION}-`);
    await annotate(null);
    await out.during(
      'and is back',
      rulesFor(
        world,
        pods.map(({ status }) => status?.podIP ?? ''),
      ),
    );
    for (const replicas of [6, 0, 3]) {
      out.command(`kubectl scale deployment nginx --replicas=${replicas}`);
      await scaleNginx(world.client, replicas);
      await out.during(`rules for ${replicas} Pods on every node`, scaled(world, replicas));
      if (replicas > 0) continue;
      const lines = (await world.rules(NODE)).split('\n');
      out.output(lines.filter((line) => line.includes(`"${SERVICE_KEY} has no endpoints"`)));
    }
  },
};
