import type { GivenFlags } from '../../../src/proxy/config/flags.ts';
import { type LoadedProxyConfig, loadProxyConfig } from '../../../src/proxy/config/load.ts';

export const HEADER = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';

/** `{ 'masquerade-all': 'true' }` as given flags. */
export function flags(given: Record<string, string | string[]>): GivenFlags {
  return new Map(Object.entries(given).map(([name, texts]) => [name, typeof texts === 'string' ? [texts] : texts]));
}

/** Loads a configuration file with this text below the header. */
export function loadFile(body: string, given: Record<string, string | string[]> = {}): LoadedProxyConfig {
  return loadDocument(HEADER + body, given);
}

export function loadDocument(text: string, given: Record<string, string | string[]> = {}): LoadedProxyConfig {
  return loadProxyConfig({ flags: flags({ config: '/etc/proxy.yaml', ...given }), readFile: () => text });
}

/** Loads without a file. */
export function loadFlags(given: Record<string, string | string[]>): LoadedProxyConfig {
  const readFile = () => {
    throw new Error('no file is to be read');
  };
  return loadProxyConfig({ flags: flags(given), readFile });
}
