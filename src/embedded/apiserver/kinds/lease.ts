import type { Cause, KindDefinition, RawObject } from '../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from './columns.ts';
import { decoderOf } from './schema/decode.ts';
import { strategyOf } from './strategy.ts';
import { invalid } from './validation/causes.ts';

interface LeaseObject extends RawObject {
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; leaseTransitions?: number };
}

export const leaseKind: KindDefinition = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  singular: 'lease',
  kind: 'Lease',
  namespaced: true,
  shortNames: [],
  categories: [],
  subresources: [],
  createOnUpdate: true,
  needsResourceVersion: true,
  decode: decoderOf('V1Lease'),
  strategy: strategyOf('V1Lease', {
    prepareForCreate: dropElectionFields,
    prepareForUpdate: dropElectionFields,
    validate: validateLease,
    validateUpdate: validateLease,
    columns: [nameColumn, column('Holder', 'Who holds the lease.'), ageColumn],
    row: (object, now) => [nameCell(object), (object as LeaseObject).spec.holderIdentity ?? '', ageCell(object, now)],
  }),
};

/** Fields of coordinated leader election (KEP-4355), which is off. */
function dropElectionFields(object: RawObject): void {
  const spec: Record<string, unknown> = (object as LeaseObject).spec;
  delete spec.strategy;
  delete spec.preferredHolder;
}

function validateLease(object: RawObject): Cause[] {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = (object as LeaseObject).spec;
  const causes: Cause[] = [];
  if (duration !== undefined && duration <= 0) {
    causes.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  }
  if (transitions !== undefined && transitions < 0) {
    causes.push(invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'));
  }
  return causes;
}
