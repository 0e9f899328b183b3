import type { AddressType } from '../../objects/endpointslice.ts';
import type { Service } from '../../objects/service.ts';
import type { Draft } from '../draft.ts';
import type { PlannedEvent } from '../plan.ts';
import { hintByCpu } from './auto.ts';
import { hintByDistribution, isTrafficDistribution, type TrafficDistribution } from './distribution.ts';
import { settlePromoted, stripHints } from './edit.ts';
import { type HintMemory, type HintOutcome, hasZones, isPopulated } from './memory.ts';
import type { ZoneShares } from './zone-shares.ts';

export type HintMode = 'auto' | TrafficDistribution | undefined;

/**
 * Which hints a Service asks for. The annotation, of which the deprecated name comes first even when it says no, goes
 * before `spec.trafficDistribution`.
 */
export function hintMode(service: Service): HintMode {
  const annotations = service.metadata.annotations ?? {};
  const value =
    annotations['service.kubernetes.io/topology-aware-hints'] ?? annotations['service.kubernetes.io/topology-mode'];
  if (value === 'Auto' || value === 'auto') return 'auto';
  const { trafficDistribution } = service.spec;
  return isTrafficDistribution(trafficDistribution) ? trafficDistribution : undefined;
}

export interface HintInput {
  mode: HintMode;
  addressType: AddressType;
  shares: ZoneShares;
  /** As this sync's earlier address types and the last sync left it. */
  memory: HintMemory;
  /** As upstream does it: a warning at every sync that finds hints impossible, not only at the first. */
  repeatWarnings: boolean;
}

/** Sets or removes hints on the drafts of one address type, and puts what became of it into `memory`. */
export function applyHints(drafts: readonly Draft[], input: HintInput): PlannedEvent[] {
  const { mode, addressType, memory } = input;
  const before = memory[addressType];
  const wasPopulated = isPopulated(memory);
  const events: PlannedEvent[] = [];
  if (mode === 'auto') {
    const result = hintByCpu(drafts, input.shares);
    const outcome: HintOutcome = 'problem' in result ? result : { zones: result };
    if ('problem' in outcome) {
      stripHints(drafts);
      if (input.repeatWarnings || hasZones(before) || before?.problem !== outcome.problem) {
        events.push(disabled(`${outcome.problem}, addressType: ${addressType}`));
      }
    } else if (!wasPopulated) {
      events.push({
        type: 'Normal',
        reason: 'TopologyAwareHintsEnabled',
        message: `Topology Aware Hints has been enabled, addressType: ${addressType}`,
      });
    }
    memory[addressType] = outcome;
  } else {
    // Told once, by the first address type; the others find nothing populated any more.
    if (wasPopulated) {
      events.push(disabled(`Topology Aware Hints has been disabled, addressType: ${addressType}`));
    }
    for (const type of Object.keys(memory) as AddressType[]) delete memory[type];
    if (mode === undefined) stripHints(drafts);
    else hintByDistribution(drafts, mode);
  }
  settlePromoted(drafts);
  return events;
}

function disabled(message: string): PlannedEvent {
  return { type: 'Warning', reason: 'TopologyAwareHintsDisabled', message };
}
