/** The objects of the walk, and how their present state is read. */

import type { KubeClient } from '../../kube/client.ts';
import { ENDPOINT_SLICES, SERVICES } from '../../kube/projections.ts';
import { resourceClient } from '../../kube/typed.ts';
import { type EndpointSlice, SERVICE_NAME_LABEL } from '../../objects/endpointslice.ts';
import type { Service } from '../../objects/service.ts';
import { collect } from '../kubelet/control-loop.ts';
import { DEPLOYMENTS, type DeploymentObject, isActive, isTrue, PODS, type PodObject } from '../kubelet/objects.ts';
import { CheckFailed } from './check.ts';

export const NAMESPACE = 'default';
export const DEPLOYMENT = 'nginx';
export const SERVICE = 'nginx-svc';
/** As it stands in the rules' comments. */
export const SERVICE_KEY = `${NAMESPACE}/${SERVICE}`;
export const PORT = 3000;
export const TARGET_PORT = 80;
/** A Pod that serves nothing and asks the others. */
export const VISITOR = 'visitor';

const LABELS = { app: 'nginx' };

export const nginxDeployment: DeploymentObject = {
  metadata: { name: DEPLOYMENT, namespace: NAMESPACE, labels: LABELS },
  spec: {
    replicas: 3,
    selector: { matchLabels: LABELS },
    template: {
      metadata: { labels: LABELS },
      spec: { containers: [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: TARGET_PORT }] }] },
    },
  },
};

export const nginxService: Service = {
  metadata: { name: SERVICE, namespace: NAMESPACE },
  spec: { selector: LABELS, ports: [{ port: PORT, targetPort: TARGET_PORT }] },
};

export const visitorPod: PodObject = {
  metadata: { name: VISITOR, namespace: NAMESPACE },
  spec: { containers: [{ name: VISITOR, image: VISITOR }] },
};

/** The nginx Pods that count, by name. */
export async function nginxPods(client: KubeClient): Promise<PodObject[]> {
  const found = await collect(resourceClient(client, PODS).list({ namespace: NAMESPACE, labelSelector: 'app=nginx' }));
  return found.filter(isActive).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

export function isReady(pod: PodObject): boolean {
  return isTrue(pod.status?.conditions, 'Ready');
}

export async function nginxSlices(client: KubeClient): Promise<EndpointSlice[]> {
  const labelSelector = `${SERVICE_NAME_LABEL}=${SERVICE}`;
  return collect(resourceClient(client, ENDPOINT_SLICES).list({ namespace: NAMESPACE, labelSelector }));
}

export async function nginxServiceNow(client: KubeClient): Promise<Service & { spec: { clusterIP: string } }> {
  const service = await resourceClient(client, SERVICES).get(NAMESPACE, SERVICE);
  const { clusterIP } = service.spec;
  if (!clusterIP) throw new CheckFailed(`Service ${SERVICE_KEY} has no ClusterIP`);
  return { ...service, spec: { ...service.spec, clusterIP } };
}

export async function scaleNginx(client: KubeClient, replicas: number): Promise<void> {
  await resourceClient(client, DEPLOYMENTS).patch(NAMESPACE, DEPLOYMENT, { spec: { replicas } }, 'merge');
}
