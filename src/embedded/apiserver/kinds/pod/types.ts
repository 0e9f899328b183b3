import type { RawObject } from '../../kind.ts';
import type { LabelSelector } from '../validation/selectors.ts';

/** A Pod after decoding, cut down to the fields that some rule looks at. */
export interface PodObject extends RawObject {
  spec: PodSpec;
  status: PodStatus;
}

export interface PodTemplate {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string>; finalizers?: string[] };
  spec: PodSpec;
}

export interface PodSpec extends Record<string, unknown> {
  containers: Container[] | null;
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  volumes?: Volume[];
  restartPolicy?: string;
  dnsPolicy?: string;
  dnsConfig?: Record<string, unknown>;
  schedulerName?: string;
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  hostname?: string;
  subdomain?: string;
  hostNetwork?: boolean;
  serviceAccount?: string;
  serviceAccountName?: string;
  securityContext?: Record<string, unknown>;
  terminationGracePeriodSeconds?: number;
  activeDeadlineSeconds?: number;
  enableServiceLinks?: boolean;
  priority?: number;
  priorityClassName?: string;
  preemptionPolicy?: string;
  runtimeClassName?: string;
  tolerations?: Toleration[];
  schedulingGates?: { name: string }[];
  imagePullSecrets?: { name?: string }[];
  readinessGates?: { conditionType: string }[];
  hostAliases?: { ip: string; hostnames?: string[] }[];
  topologySpreadConstraints?: TopologySpread[];
  affinity?: Affinity;
  os?: { name: string };
  resources?: Resources;
}

export interface Container extends Record<string, unknown> {
  name: string;
  image?: string;
  imagePullPolicy?: string;
  restartPolicy?: string;
  terminationMessagePath?: string;
  terminationMessagePolicy?: string;
  ports?: ContainerPort[];
  env?: EnvVar[];
  resources: Resources;
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  securityContext?: SecurityContext;
  lifecycle?: { postStart?: Handler; preStop?: Handler };
}

export interface SecurityContext {
  privileged?: boolean;
  allowPrivilegeEscalation?: boolean;
  runAsUser?: number;
  runAsGroup?: number;
  procMount?: string;
}

export interface ContainerPort {
  name?: string;
  containerPort: number;
  hostPort?: number;
  hostIP?: string;
  protocol?: string;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: {
    fieldRef?: { apiVersion?: string; fieldPath: string };
    resourceFieldRef?: { resource: string };
    configMapKeyRef?: { name?: string; key: string };
    secretKeyRef?: { name?: string; key: string };
    fileKeyRef?: unknown;
  };
}

/** Amounts in canonical text. */
export interface Resources {
  limits?: Record<string, string>;
  requests?: Record<string, string>;
}

export interface Handler {
  exec?: { command?: string[] };
  httpGet?: { port: number | string; path?: string; scheme?: string };
  tcpSocket?: { port: number | string };
  sleep?: { seconds: number };
  grpc?: { port: number; service?: string };
}

export interface Probe extends Handler {
  timeoutSeconds?: number;
  periodSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
  initialDelaySeconds?: number;
}

export interface Volume extends Record<string, unknown> {
  name: string;
}

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export interface TopologySpread {
  maxSkew: number;
  topologyKey: string;
  whenUnsatisfiable: string;
  labelSelector?: LabelSelector;
}

export interface Affinity {
  nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: unknown[] | null } };
  podAffinity?: PodAffinity;
  podAntiAffinity?: PodAffinity;
}

export interface PodAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: { topologyKey: string }[];
}

export interface PodStatus extends Record<string, unknown> {
  phase?: string;
  reason?: string;
  qosClass?: string;
  podIP?: string;
  podIPs?: { ip: string }[];
  nominatedNodeName?: string;
  conditions?: PodCondition[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
}

export interface PodCondition {
  type: string;
  status: string;
  lastProbeTime?: string | null;
  lastTransitionTime?: string | null;
  reason?: string;
  message?: string;
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  started?: boolean;
  state: ContainerState;
  lastState: ContainerState;
}

export interface ContainerState {
  waiting?: { reason?: string };
  running?: { startedAt?: string | null };
  terminated?: { exitCode: number; signal?: number; reason?: string; finishedAt?: string | null };
}

/** An object of this kind's bucket; decoding made sure of the types. */
export function asPod(object: RawObject): PodObject {
  return object as PodObject;
}

export function* allContainers(spec: PodSpec): Iterable<Container> {
  yield* spec.initContainers ?? [];
  yield* spec.containers ?? [];
  yield* spec.ephemeralContainers ?? [];
}
