import { cloneJson, equalJson } from '../../json.ts';
import type { KindDefinition } from '../../kind.ts';
import { decoderOf } from '../schema/decode.ts';
import { countGeneration, keepSpec, keepStatus, strategyOf } from '../strategy.ts';
import { setPodDefaults } from './admission.ts';
import { podColumns, podRow } from './columns.ts';
import { setPodSpecDefaults } from './defaults.ts';
import { initialStatus, keepStatusInvariants } from './status.ts';
import { asPod, type PodObject } from './types.ts';
import { validateNewPod, validatePodSpec } from './validate-spec.ts';
import { validatePodChange, validatePodStatus } from './validate-update.ts';
import { podWarnings } from './warnings.ts';

export const podKind: KindDefinition = {
  group: '',
  version: 'v1',
  plural: 'pods',
  singular: 'pod',
  kind: 'Pod',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  subresources: ['status', 'binding'],
  returnsDeleted: true,
  decode: decoderOf('V1Pod'),
  strategy: strategyOf('V1Pod', {
    prepareForCreate(object, { now }) {
      const pod = asPod(object);
      setDefaults(pod);
      pod.status = initialStatus(pod.spec, now);
      countGeneration(pod, undefined);
    },
    setDefaults: (object) => setDefaults(asPod(object)),
    validate(object) {
      const { spec } = asPod(object);
      return [...validatePodSpec(spec), ...validateNewPod(spec)];
    },
    prepareForUpdate(object, before, subresource) {
      const pod = asPod(object);
      if (subresource === 'status') {
        keepSpec(object, before);
        keepOwners(pod, asPod(before));
        keepStatusInvariants(pod, asPod(before));
      } else {
        keepStatus(object, before);
        countGeneration(object, before, !equalJson(pod.spec, before.spec));
      }
    },
    validateUpdate(object, before, subresource) {
      const pod = asPod(object);
      if (subresource === 'status') return validatePodStatus(pod, asPod(before));
      return [...validatePodSpec(pod.spec), ...validatePodChange(pod, asPod(before))];
    },
    defaultGraceSeconds(object) {
      const { spec, status } = asPod(object);
      if (status.phase === 'Succeeded' || status.phase === 'Failed') return 0;
      return spec.terminationGracePeriodSeconds ?? 30;
    },
    skipsGrace(object) {
      const { spec, status } = asPod(object);
      return !spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed';
    },
    warnings: (object) => podWarnings(asPod(object)),
    columns: podColumns,
    row: podRow,
    selectableFields: {
      'spec.nodeName': (object) => asPod(object).spec.nodeName ?? '',
      'spec.restartPolicy': (object) => asPod(object).spec.restartPolicy ?? '',
      'spec.schedulerName': (object) => asPod(object).spec.schedulerName ?? '',
      'spec.serviceAccountName': (object) => asPod(object).spec.serviceAccountName ?? '',
      'spec.hostNetwork': (object) => String(asPod(object).spec.hostNetwork ?? false),
      'status.phase': (object) => asPod(object).status.phase ?? '',
      'status.podIP': (object) => asPod(object).status.podIP ?? '',
      // Known to the server's parser, but set on no Pod.
      'status.podIPs': () => '',
      'status.nominatedNodeName': (object) => asPod(object).status.nominatedNodeName ?? '',
    },
  }),
};

function setDefaults(pod: PodObject): void {
  setPodSpecDefaults(pod.spec);
  setPodDefaults(pod.spec);
}

/** The status of a Pod is written by kubelets, which have no business with its owners. */
function keepOwners(pod: PodObject, before: PodObject): void {
  if (before.metadata.ownerReferences) pod.metadata.ownerReferences = cloneJson(before.metadata.ownerReferences);
  else delete pod.metadata.ownerReferences;
}
