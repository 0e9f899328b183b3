import { isRecord } from '../../src/kube/values.ts';
import { at, strings } from '../manifests/kustomize.ts';
import type { Image } from './chroot-build.ts';
import type { ContainerSpec } from './container.ts';

/** What kubelet knows and a Pod may refer to. */
export interface Surroundings {
  /** Path on the host of each volume, by the volume's name. */
  volumes: Readonly<Record<string, string>>;
  /** `status.hostIP` and `spec.nodeName` */
  fields: Readonly<Record<string, string>>;
  /** `NAME/KEY` -> value */
  configMaps: Readonly<Record<string, string>>;
  /** The folder that is mounted where Pods find their service account. */
  serviceAccount: string;
}

/**
 * What kubelet would ask a runtime for.
 * @param pod the template's `spec`
 * @throws RangeError for a reference to something that is not there, Error for what a container as this may not be
 */
export function containerSpec(pod: unknown, container: unknown, image: Image, known: Surroundings): ContainerSpec {
  const context = { ...optional(pod, 'securityContext'), ...optional(container, 'securityContext') };
  const [imageUser, imageGroup] = image.user.split(':').map(Number);
  const uid = Number(context.runAsUser ?? imageUser);
  const gid = Number(context.runAsGroup ?? imageGroup);
  if (context.runAsNonRoot === true && uid === 0) throw new Error('runAsNonRoot, but the user is root');
  const env = Object.fromEntries(
    list(container, 'env').map((entry) => [String(at(entry, 'name')), variable(entry, known)]),
  );
  return {
    args: strings(at(container, 'args')).map((arg) =>
      arg.replaceAll(/\$\((\w+)\)/g, (_, name: string) => String(at(env, name))),
    ),
    env,
    uid,
    gid,
    privileged: context.privileged === true,
    readOnly: context.readOnlyRootFilesystem === true,
    capabilities: strings(optional(context, 'capabilities').add),
    mounts: [
      ...list(container, 'volumeMounts').map((mount) => ({
        source: String(at(known.volumes, String(at(mount, 'name')))),
        target: String(at(mount, 'mountPath')),
        readOnly: isRecord(mount) && mount.readOnly === true,
      })),
      { source: known.serviceAccount, target: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ],
  };
}

function variable(entry: unknown, { fields, configMaps }: Surroundings): string {
  if (!isRecord(entry)) throw new Error(`not a variable: ${String(entry)}`);
  if (typeof entry.value === 'string') return entry.value;
  const field = optional(optional(entry, 'valueFrom'), 'fieldRef');
  if (typeof field.fieldPath === 'string') return String(at(fields, field.fieldPath));
  const reference = at(entry, 'valueFrom', 'configMapKeyRef');
  return String(at(configMaps, `${at(reference, 'name')}/${at(reference, 'key')}`));
}

function optional(value: unknown, key: string): Record<string, unknown> {
  const found = isRecord(value) ? value[key] : undefined;
  return isRecord(found) ? found : {};
}

function list(value: unknown, key: string): unknown[] {
  const found = isRecord(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}
