import { UserError } from '../../user-error.ts';
import type { KubeProxyConfiguration } from './types.ts';

/** Valid for kube-proxy, but nothing that Slicewise does. @throws UserError naming field and value. */
export function refuseUnsupported({ mode }: KubeProxyConfiguration): void {
  if (mode === 'ipvs') throw new UserError('mode: "ipvs" is not supported; set it to "iptables" or leave it empty');
  if (mode === 'nftables') {
    throw new UserError('mode: "nftables" is not supported yet; set it to "iptables" or leave it empty');
  }
}

/** Settings that are accepted and do nothing; one line each. */
export function warnOfInert(config: KubeProxyConfiguration): string[] {
  const { text, json } = config.logging.options;
  const inert: [boolean, string][] = [
    [config.enableProfiling, 'enableProfiling has no effect: there are no /debug/pprof pages'],
    [config.logging.vmodule.length > 0, 'logging.vmodule has no effect'],
    [[text, json].some((o) => String(o.infoBufferSize) !== '0' || o.splitStream), 'logging.options have no effect'],
  ];
  return inert.flatMap(([set, line]) => (set ? [line] : []));
}
