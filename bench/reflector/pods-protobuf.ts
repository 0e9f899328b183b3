import { bytes, int, map, message } from '../../test/kube/support/protobuf.ts';

interface Meta {
  name: string;
  generateName: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  ownerReferences: { apiVersion: string; kind: string; name: string; uid: string }[];
  managedFields: { manager: string; fieldsV1: object }[];
}

interface Container {
  name: string;
  image: string;
  ports?: { name: string; containerPort: number; protocol: string }[];
  env: { name: string; value: string }[];
}

interface BenchPod {
  metadata: Meta;
  spec: {
    nodeName: string;
    serviceAccountName: string;
    schedulerName: string;
    restartPolicy: string;
    containers: Container[];
  };
  status: {
    phase: string;
    podIP: string;
    hostIP: string;
    qosClass: string;
    conditions: { type: string; status: string; lastTransitionTime: string }[];
    containerStatuses: { name: string; image: string; imageID: string; containerID: string }[];
  };
}

const time = (field: number, text: string) => message(field, int(1, Date.parse(text) / 1000), int(2, 0));

/** The message of a Pod made by `benchPod`, with the fields that a real server sends for it. */
export function encodePod(object: object): Buffer {
  const { metadata, spec, status } = object as BenchPod;
  return Buffer.concat([
    message(1, ...encodeMeta(metadata)),
    message(
      2,
      ...spec.containers.map(encodeContainer),
      bytes(3, spec.restartPolicy),
      bytes(8, spec.serviceAccountName),
      bytes(10, spec.nodeName),
      int(11, 0),
      int(12, 0),
      int(13, 0),
      bytes(16, ''),
      bytes(17, ''),
      bytes(19, spec.schedulerName),
      bytes(24, ''),
    ),
    message(
      3,
      bytes(1, status.phase),
      ...status.conditions.map((c) =>
        message(
          2,
          bytes(1, c.type),
          bytes(2, c.status),
          message(3),
          time(4, c.lastTransitionTime),
          bytes(5, ''),
          bytes(6, ''),
        ),
      ),
      bytes(3, ''),
      bytes(4, ''),
      bytes(5, status.hostIP),
      bytes(6, status.podIP),
      ...status.containerStatuses.map((c) =>
        message(
          8,
          bytes(1, c.name),
          int(4, 1),
          int(5, 0),
          bytes(6, c.image),
          bytes(7, c.imageID),
          bytes(8, c.containerID),
        ),
      ),
      bytes(9, status.qosClass),
      message(12, bytes(1, status.podIP)),
    ),
  ]);
}

function encodeMeta(meta: Meta): Buffer[] {
  return [
    bytes(1, meta.name),
    bytes(2, meta.generateName),
    bytes(3, meta.namespace),
    bytes(4, ''),
    bytes(5, meta.uid),
    bytes(6, meta.resourceVersion),
    int(7, 1),
    time(8, meta.creationTimestamp),
    map(11, meta.labels),
    map(12, meta.annotations),
    ...meta.ownerReferences.map((o) =>
      message(13, bytes(1, o.kind), bytes(3, o.name), bytes(4, o.uid), bytes(5, o.apiVersion), int(6, 1), int(7, 1)),
    ),
    ...meta.managedFields.map((f) =>
      message(
        17,
        bytes(1, f.manager),
        bytes(2, 'Update'),
        bytes(3, 'v1'),
        message(7, bytes(1, JSON.stringify(f.fieldsV1))),
      ),
    ),
  ];
}

function encodeContainer(container: Container): Buffer {
  return message(
    2,
    bytes(1, container.name),
    bytes(2, container.image),
    ...(container.ports ?? []).map((p) =>
      message(6, bytes(1, p.name), int(2, 0), int(3, p.containerPort), bytes(4, p.protocol), bytes(5, '')),
    ),
    ...container.env.map((e) => message(7, bytes(1, e.name), bytes(2, e.value))),
  );
}
