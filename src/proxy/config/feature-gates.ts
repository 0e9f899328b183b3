import { DEFAULT_FEATURE_GATES, type ProxyFeatureGates } from '../config-types.ts';

export interface FeatureGateReading {
  readonly gates: ProxyFeatureGates;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** On for good since 1.34 and 1.35; a configuration that turns one of them off is refused, as upstream refuses it. */
const LOCKED_ON = ['MultiCIDRServiceAllocator', 'PreferSameTrafficDistribution'];

/** Switches for all gates of a stage: the gates that matter here are past those stages. */
const STAGES = ['AllAlpha', 'AllBeta'];

/** Gates of kube-proxy 1.36 that change what this proxier does; every other name is warned of, never refused. */
export function readFeatureGates(configured: Readonly<Record<string, boolean>>): FeatureGateReading {
  const errors: string[] = [];
  const warnings: string[] = [];
  let gates = DEFAULT_FEATURE_GATES;
  for (const [name, on] of Object.entries(configured)) {
    if (name === 'AllowServiceExternalIPs') {
      gates = { ...gates, AllowServiceExternalIPs: on };
    } else if (LOCKED_ON.includes(name)) {
      if (!on) errors.push(`cannot set feature gate ${name} to false, feature is locked to true`);
    } else if (!STAGES.includes(name)) {
      warnings.push(`featureGates: ${JSON.stringify(name)} has no effect on this proxier`);
    }
  }
  return { gates, errors, warnings };
}
