import { isRecord } from '../../kube/values.ts';
import { UserError } from '../../user-error.ts';
import { defaultAddresses } from './defaults.ts';
import { parseDocument } from './document.ts';
import type { Findings } from './schema.ts';
import { CONFIG_API_VERSION, CONFIG_KIND, type KubeProxyConfiguration } from './types.ts';
import { kubeProxyConfiguration } from './v1alpha1.ts';

export interface FileReading {
  readonly config: KubeProxyConfiguration;
  /** One line for each field that is unknown or given twice: strict decoding would have refused it. */
  readonly warnings: readonly string[];
}

/** Decodes a KubeProxyConfiguration document. @throws UserError naming `path`, every field of a wrong type and its value. */
export function configFromFile(path: string, text: string): FileReading {
  const { value, warnings } = parseDocument(path, text);
  const { apiVersion, kind, ...fields } = isRecord(value) ? value : {};
  if (apiVersion !== CONFIG_API_VERSION || kind !== CONFIG_KIND) {
    const found = `apiVersion ${JSON.stringify(apiVersion)} and kind ${JSON.stringify(kind)}`;
    throw new UserError(`${path} has ${found}; expected are "${CONFIG_API_VERSION}" and "${CONFIG_KIND}"`);
  }
  const findings: Findings = { errors: [], unknown: [], zeroMeansUnset: true };
  const config = kubeProxyConfiguration.decode(fields, '', findings);
  if (findings.errors.length > 0) throw new UserError(`${path}: ${findings.errors.join('; ')}`);
  const unknown = findings.unknown.map((field) => `unknown field "${field}" is ignored`);
  return { config: defaultAddresses(config), warnings: [...unknown, ...warnings].map((line) => `${path}: ${line}`) };
}
