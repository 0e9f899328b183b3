import { isRecord, type JsonRecord } from '../../kube/values.ts';
import { UserError } from '../../user-error.ts';
import { defaultAddresses, HEALTHZ_PORT, METRICS_PORT } from './defaults.ts';
import { flagValue } from './flag-values.ts';
import { type FlagGroup, flagSpec, type GivenFlags } from './flags.ts';
import { appendPortIfNeeded } from './host-port.ts';
import type { Findings } from './schema.ts';
import type { KubeProxyConfiguration } from './types.ts';
import { kubeProxyConfiguration } from './v1alpha1.ts';

/** The configuration of a run without `--config`. @throws UserError naming the flag and its value. */
export function configFromFlags(flags: GivenFlags): KubeProxyConfiguration {
  const defaults = defaultAddresses(kubeProxyConfiguration.decode({}, '', findings({ zeroMeansUnset: true })));
  const config = withFlags(defaults, flags, ['config', 'logging']);
  const healthz = config.healthzBindAddress || defaults.healthzBindAddress;
  return {
    ...config,
    healthzBindAddress: disabled(flags, 'healthz-port') ? '' : appendPortIfNeeded(healthz, HEALTHZ_PORT),
    metricsBindAddress: disabled(flags, 'metrics-port')
      ? ''
      : appendPortIfNeeded(config.metricsBindAddress, METRICS_PORT),
  };
}

/** Puts the given flags of these groups into the printed form of `config`, and reads that again. */
export function withFlags(config: KubeProxyConfiguration, flags: GivenFlags, groups: readonly FlagGroup[]) {
  const encoded = kubeProxyConfiguration.encode(config);
  const document: JsonRecord = isRecord(encoded) ? encoded : {};
  for (const [name, texts] of flags) {
    const spec = flagSpec(name);
    if (!groups.includes(spec.group)) continue;
    const value = flagValue(spec, texts);
    for (const field of spec.fields) setField(document, field.split('.'), value);
  }
  const found = findings({ zeroMeansUnset: false });
  const decoded = kubeProxyConfiguration.decode(document, '', found);
  if (found.errors.length > 0) throw new UserError(found.errors.join('; '));
  return decoded;
}

/** `--hostname-override` wins over the file too. Node names are lower case. */
export function withHostname(config: KubeProxyConfiguration, flags: GivenFlags): KubeProxyConfiguration {
  const text = lastText(flags, 'hostname-override');
  if (!text) return config;
  const hostnameOverride = text.trim().toLowerCase();
  if (hostnameOverride === '') throw new UserError(`--hostname-override: ${JSON.stringify(text)} is empty`);
  return { ...config, hostnameOverride };
}

export function lastText(flags: GivenFlags, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

/** Only 0 means anything: the addresses have a port by the time that the port flags are read, upstream as here. */
function disabled(flags: GivenFlags, portFlag: string): boolean {
  const texts = flags.get(portFlag);
  return texts !== undefined && flagValue(flagSpec(portFlag), texts) === 0;
}

function setField(document: JsonRecord, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    document[name] = value;
    return;
  }
  const inner = document[name];
  const record = isRecord(inner) ? inner : {};
  document[name] = record;
  setField(record, rest, value);
}

function findings({ zeroMeansUnset }: { zeroMeansUnset: boolean }): Findings {
  return { errors: [], unknown: [], zeroMeansUnset };
}
