import type { Plan, PlannedWrite } from '../../../src/endpointslice/plan.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';

let serial = 0;

/** Carries out one write on a set of slices, as an API server would, and returns the set that results. */
export function carryOutWrite(slices: readonly EndpointSlice[], write: PlannedWrite): EndpointSlice[] {
  const { name } = write.slice.metadata;
  const stored = slices.find((slice) => slice.metadata.name === name);
  if (write.op === 'create') {
    if (name !== '') throw new Error(`create of a slice that has the name ${name} already`);
    return [
      ...slices,
      stamp(write.slice, `${write.slice.metadata.generateName}${(++serial).toString(36).padStart(5, '0')}`),
    ];
  }
  if (stored === undefined) throw new Error(`${write.op} of ${name}, which is not there`);
  if (write.op === 'delete') return slices.filter((slice) => slice !== stored);
  const expected = write.slice.metadata.resourceVersion;
  if (expected !== undefined && expected !== stored.metadata.resourceVersion) throw new Error(`conflict on ${name}`);
  if (write.slice.addressType !== stored.addressType) throw new Error(`address type of ${name} is immutable`);
  return slices.map((slice) => (slice === stored ? stamp(write.slice, name) : slice));
}

export function allWrites(plan: Plan): PlannedWrite[] {
  return [
    ...plan.families.flatMap((family) => family.writes),
    ...plan.obsolete.map((slice): PlannedWrite => ({ op: 'delete', slice })),
  ];
}

export function carryOut(slices: readonly EndpointSlice[], plan: Plan): EndpointSlice[] {
  return allWrites(plan).reduce<EndpointSlice[]>(carryOutWrite, [...slices]);
}

function stamp(slice: EndpointSlice, name: string): EndpointSlice {
  serial++;
  const copy = structuredClone(slice);
  return {
    ...copy,
    metadata: { ...copy.metadata, name, uid: copy.metadata.uid ?? `uid-${name}`, resourceVersion: `${serial}` },
  };
}
