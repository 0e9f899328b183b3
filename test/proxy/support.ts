import { applyRestore, parseRuleset, type Ruleset } from '../../src/explain/ruleset.ts';
import type { EndpointSlice } from '../../src/objects/endpointslice.ts';
import { objectKey } from '../../src/objects/meta.ts';
import type { Service } from '../../src/objects/service.ts';
import type { ProxyRulesConfig } from '../../src/proxy/config-types.ts';
import { endpointsOfService, serviceOfSlice } from '../../src/proxy/endpoints.ts';
import {
  computeDesired,
  type DesiredChanges,
  type DesiredState,
  emptyDesired,
} from '../../src/proxy/iptables/desired.ts';
import { renderDesired } from '../../src/proxy/iptables/render.ts';
import { JUMP_RULES } from '../../src/proxy/iptables/static-rules.ts';
import { servicePorts } from '../../src/proxy/service-ports.ts';

/** Everything in a cluster as one change from nothing. */
export function asChanges(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  config: ProxyRulesConfig,
): DesiredChanges {
  const bySlice = Map.groupBy(slices, (slice) => serviceOfSlice(slice, config.ipFamily));
  bySlice.delete(undefined);
  return {
    services: new Map(
      services.map((service) => [objectKey(service.metadata), { after: servicePorts(service, config.ipFamily).ports }]),
    ),
    endpoints: new Map(
      [...bySlice].map(([service = '', of]) => [service, { after: endpointsOfService(of, config).endpoints }]),
    ),
  };
}

/** The state computed from scratch, without any tracker. */
export function desiredFor(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  config: ProxyRulesConfig,
): DesiredState {
  return computeDesired(emptyDesired(config), asChanges(services, slices, config));
}

/** What `iptables-save` would show with the rules loaded into an empty kernel, the jumps from built-in chains included. */
export function kernelFor(state: DesiredState): Ruleset {
  const builtIn = parseRuleset(
    ['*filter', ':INPUT ACCEPT', ':FORWARD ACCEPT', ':OUTPUT ACCEPT', ':KUBE-FIREWALL -', 'COMMIT']
      .concat(['*nat', ':PREROUTING ACCEPT', ':INPUT ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT', 'COMMIT'])
      .join('\n'),
  );
  const jumps = JUMP_RULES.map(({ table, from, rule }) => {
    const words = rule.map((word) => (word.includes(' ') ? `"${word}"` : word));
    return `*${table}\n-I ${from} ${words.join(' ')}\nCOMMIT\n`;
  });
  return applyRestore(builtIn, renderDesired(state.desired) + jumps.join(''));
}
