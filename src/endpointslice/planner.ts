import type { EndpointSlice } from '../objects/endpointslice.ts';
import { findCandidates } from './candidates.ts';
import type { Draft } from './draft.ts';
import { type WrittenAddressType, wantedAddressTypes } from './endpoint.ts';
import { draftFamily } from './family.ts';
import { applyHints, hintMode } from './hints/apply.ts';
import { sliceLabels } from './labels.ts';
import { newSlice, withTriggerTime } from './new-slice.ts';
import type { FamilyPlan, Plan, PlanInput, PlannedEvent, PlannedWrite } from './plan.ts';
import { isRecycled, recycle } from './recycle.ts';
import { orderWithoutGaps } from './write-order.ts';

/**
 * Works out which writes turn the slices of a Service into what its Pods call for. Pure: the same input gives the same
 * plan, and a plan carried out leaves nothing for the next.
 */
export function planService(input: PlanInput): Plan {
  const { service, options } = input;
  const wanted = wantedAddressTypes(service);
  const labels = sliceLabels(service);
  const { list: candidates, errors, invalidAddresses } = findCandidates(input);
  const mode = hintMode(service);
  const memory = { hints: { ...input.memory?.hints }, invalidAddresses: invalidAddresses.join(', ') };
  // An address type that is no longer wanted has no hints to remember.
  for (const type of ['IPv4', 'IPv6'] as const) if (!wanted.includes(type)) delete memory.hints[type];

  const events: PlannedEvent[] = [];
  if (invalidAddresses.length > 0 && memory.invalidAddresses !== input.memory?.invalidAddresses) {
    events.push(invalidAddressEvent(invalidAddresses));
  }
  const families: FamilyPlan[] = [];
  for (const addressType of wanted) {
    const slices = input.slices.filter((slice) => slice.addressType === addressType);
    const { drafts, stats } = draftFamily({ service, addressType, candidates, slices, labels, options });
    events.push(
      ...applyHints(drafts, {
        mode,
        addressType,
        shares: input.shares,
        memory: memory.hints,
        repeatWarnings: options.repeatHintWarnings,
      }),
    );
    families.push({ addressType, writes: toWrites(recycle(drafts, service), input, addressType, labels), stats });
  }
  const obsolete = input.slices.filter((slice) => !wanted.some((type) => type === slice.addressType));
  const writes = families.flatMap((family) => family.writes);
  return {
    families,
    obsolete,
    create: writes.filter((write) => write.op === 'create').map((write) => write.slice),
    update: writes.filter((write) => write.op === 'update').map((write) => write.slice),
    delete: [...writes.filter((write) => write.op === 'delete').map((write) => write.slice), ...obsolete],
    errors,
    events,
    memory,
    stats: {
      topology: mode === 'auto' ? 'Auto' : 'Disabled',
      trafficDistribution: mode === undefined || mode === 'auto' ? '' : mode,
    },
  };
}

const OPERATIONS = ['create', 'update', 'delete'] as const;

function toWrites(
  drafts: Draft[],
  input: PlanInput,
  addressType: WrittenAddressType,
  labels: Record<string, string>,
): PlannedWrite[] {
  const { service, options, triggerTime } = input;
  // The API server would take new slices of a Service that is being deleted, only to collect them as garbage.
  const mayCreate = service.metadata.deletionTimestamp === undefined;
  const maxEndpoints = options.maxEndpointsPerSlice;
  const ordered = options.zeroGap ? orderWithoutGaps(drafts, { mayCreate, maxEndpoints }) : drafts;
  const writes: PlannedWrite[] = [];
  for (const op of OPERATIONS) {
    for (const draft of ordered) {
      if (draft.state !== op) continue;
      const { before, ports, endpoints } = draft;
      if (op === 'create' || before === undefined) {
        if (!mayCreate) continue;
        const slice = newSlice(service, labels, { addressType, ports, endpoints });
        writes.push({ op: 'create', slice: { ...slice, metadata: withTriggerTime(slice.metadata, triggerTime) } });
      } else if (op === 'delete') {
        writes.push({ op, slice: before });
      } else {
        const slice = rewritten(draft, before, input, labels);
        writes.push({ op, before, slice: { ...slice, metadata: withTriggerTime(slice.metadata, triggerTime) } });
      }
    }
  }
  return writes;
}

function rewritten(
  draft: Draft,
  before: EndpointSlice,
  { service, options }: PlanInput,
  labels: Record<string, string>,
): EndpointSlice {
  const { ports, endpoints } = draft;
  if (isRecycled(draft) && !options.preserveRecycled) {
    const fresh = newSlice(service, labels, { addressType: before.addressType, ports, endpoints });
    return { ...fresh, metadata: { ...fresh.metadata, name: before.metadata.name } };
  }
  return { ...before, metadata: { ...before.metadata, labels }, ports, endpoints };
}

function invalidAddressEvent(invalid: string[]): PlannedEvent {
  const shown = invalid.slice(0, 5).join(', ');
  const rest = invalid.length > 5 ? ` and ${invalid.length - 5} more` : '';
  return {
    type: 'Warning',
    reason: 'InvalidIPAddress',
    message: `Left out of EndpointSlices, for the API server would refuse them: ${shown}${rest}`,
  };
}
