import type { KubeObject, Protocol } from './meta.ts';

export interface ContainerPort {
  name?: string;
  containerPort: number;
  protocol?: Protocol;
}

export interface Container {
  name?: string;
  ports?: ContainerPort[];
  /** `Always` on an init container marks a sidecar (KEP-753). */
  restartPolicy?: string;
}

export interface PodCondition {
  type: string;
  status: string;
  lastTransitionTime?: string;
}

export interface Pod extends KubeObject {
  spec: {
    nodeName?: string;
    hostname?: string;
    subdomain?: string;
    hostNetwork?: boolean;
    /** Only containers that declare ports are kept by the projection. */
    containers?: Container[];
    /** Only sidecars (`restartPolicy: Always`) that declare ports are kept by the projection. */
    initContainers?: Container[];
  };
  status: {
    phase?: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    /** Only `Ready` is kept by the projection. */
    conditions?: PodCondition[];
  };
}

export function isPodReady(pod: Pod): boolean {
  return pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}
