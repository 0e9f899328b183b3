/** How a node is before Slicewise comes. */
export interface Situation {
  /** What the kernel holds before: kubelet's hint, foreign rules, or what another kube-proxy left. */
  before: string[][];
  backend: 'nft' | 'legacy';
  /** Whether manifests/proxier-legacy is used. */
  component: boolean;
}

const hint = (variant: string) => [`iptables-${variant}`, '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT'];

export const SITUATIONS: Readonly<Record<string, Situation>> = {
  "kubelet's hint in nft, and a kube-proxy in mode nftables before": {
    before: [hint('nft'), ['nft', 'add', 'table', 'ip', 'kube-proxy']],
    backend: 'nft',
    component: false,
  },
  "kubelet's hint in legacy": { before: [hint('legacy')], backend: 'legacy', component: true },
  'no hint, more rules in legacy': {
    before: [
      ['iptables-legacy', '-A', 'INPUT', '-j', 'ACCEPT'],
      ['iptables-legacy', '-A', 'INPUT', '-j', 'ACCEPT'],
      ['iptables-nft', '-A', 'INPUT', '-j', 'ACCEPT'],
    ],
    backend: 'legacy',
    component: true,
  },
};
