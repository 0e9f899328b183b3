import { parseAddress } from '../addresses.ts';
import { appendPortIfNeeded } from './host-port.ts';
import type { KubeProxyConfiguration } from './types.ts';

export const HEALTHZ_PORT = 10256;
export const METRICS_PORT = 10249;

/** The addresses that a file leaves out follow the family of `bindAddress`; a port that is missing is added. */
export function defaultAddresses(config: KubeProxyConfiguration): KubeProxyConfiguration {
  // What is no address at all counts as IPv6 here; validation refuses it a moment later.
  const v4 = parseAddress(config.bindAddress)?.family === 'IPv4';
  const healthz = config.healthzBindAddress || (v4 ? '0.0.0.0' : '::');
  const metrics = config.metricsBindAddress || (v4 ? '127.0.0.1' : '::1');
  return {
    ...config,
    healthzBindAddress: appendPortIfNeeded(healthz, HEALTHZ_PORT),
    metricsBindAddress: appendPortIfNeeded(metrics, METRICS_PORT),
  };
}

/**
 * What kube-proxy on Linux puts in for empty modes. Periods and `masqueradeAll` count only in the section of the selected mode;
 * in the others they are cleared, and so they are printed.
 */
export function defaultModes(config: KubeProxyConfiguration): KubeProxyConfiguration {
  const mode = config.mode || 'iptables';
  const unused = { syncPeriod: 0, minSyncPeriod: 0 };
  const noNodePorts = (config.nodePortAddresses ?? []).length === 0;
  return {
    ...config,
    mode,
    detectLocalMode: config.detectLocalMode || 'ClusterCIDR',
    nodePortAddresses: mode === 'nftables' && noNodePorts ? ['primary'] : config.nodePortAddresses,
    iptables: mode === 'iptables' ? config.iptables : { ...config.iptables, ...unused, masqueradeAll: false },
    nftables: mode === 'nftables' ? config.nftables : { ...config.nftables, ...unused, masqueradeAll: false },
    ipvs: mode === 'ipvs' ? config.ipvs : { ...config.ipvs, ...unused },
  };
}
