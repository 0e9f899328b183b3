import { isLoopback } from '../addresses.ts';
import type { ProxyRulesConfig } from '../config-types.ts';
import { nodePortMatch } from '../node-ports.ts';
import type { JumpRule, RuleText, StaticRules, TableName } from './rules.ts';
import { comment, jump, rule } from './words.ts';

/** The chains that every restore input declares, and thereby empties, in kube-proxy's order; see also KUBE-FIREWALL. */
export const DISPATCH_CHAINS: Readonly<Record<TableName, readonly string[]>> = {
  filter: ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-NODEPORTS', 'KUBE-PROXY-FIREWALL'],
  nat: ['KUBE-SERVICES', 'KUBE-NODEPORTS'],
};

export function staticRules(config: ProxyRulesConfig): StaticRules {
  const filter = new Map([['KUBE-FORWARD', forwardChain(config)]]);
  // The chain is shared with kubelet: it is left alone unless this proxier needs the rule.
  if (config.localhostNodePorts && config.ipFamily === 'IPv4') filter.set('KUBE-FIREWALL', [MARTIAN_RULE]);
  const nat = new Map([
    ['KUBE-POSTROUTING', postroutingChain(config)],
    ['KUBE-MARK-MASQ', [`-j MARK --or-mark ${config.masqueradeMark}`]],
  ]);
  return { chains: { filter, nat }, servicesTail: nodePortTail(config) };
}

/** Packets from elsewhere to 127.0.0.0/8, which route_localnet would let in (CVE-2020-8558). */
const MARTIAN_RULE = rule(
  comment('block incoming localnet connections'),
  '-d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
);

function forwardChain({ masqueradeMark: mark, conntrackTCPLiberal, nfacctCounters }: ProxyRulesConfig): RuleText[] {
  const counter = nfacctCounters.ctStateInvalidDropped ? '-m nfacct --nfacct-name ct_state_invalid_dropped_pkts' : '';
  const dropInvalid = rule('-m conntrack --ctstate INVALID', counter, '-j DROP');
  return [
    ...(conntrackTCPLiberal ? [] : [dropInvalid]),
    rule(comment('kubernetes forwarding rules'), `-m mark --mark ${mark}/${mark}`, '-j ACCEPT'),
    rule(comment('kubernetes forwarding conntrack rule'), '-m conntrack --ctstate RELATED,ESTABLISHED', '-j ACCEPT'),
  ];
}

/** The mark is taken off again, so that a packet which re-enters the stack is not masqueraded twice. */
function postroutingChain({ masqueradeMark: mark, randomFully }: ProxyRulesConfig): RuleText[] {
  return [
    `-m mark ! --mark ${mark}/${mark} -j RETURN`,
    `-j MARK --xor-mark ${mark}`,
    rule(comment('kubernetes service traffic requiring SNAT'), '-j MASQUERADE', randomFully ? '--random-fully' : ''),
  ];
}

function nodePortTail(config: ProxyRulesConfig): RuleText[] {
  const about = comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain');
  const match = nodePortMatch(config.nodePortAddresses, config.nodeAddresses, config.ipFamily);
  if (match.all) {
    let except = '';
    if (config.ipFamily === 'IPv6') except = '! -d ::1/128';
    else if (!config.localhostNodePorts) except = '! -d 127.0.0.0/8';
    return [rule(about, '-m addrtype --dst-type LOCAL', except, jump('KUBE-NODEPORTS'))];
  }
  return match.ips
    .filter((ip) => config.localhostNodePorts || !isLoopback(ip))
    .map((ip) => rule(about, `-d ${ip}`, jump('KUBE-NODEPORTS')));
}

const NEW_CONNECTIONS = ['-m', 'conntrack', '--ctstate', 'NEW'];

function jumpTo(table: TableName, from: string, to: string, about: string, match: readonly string[] = []): JumpRule {
  return { table, from, to, rule: [...match, '-m', 'comment', '--comment', about, '-j', to] };
}

/**
 * The jumps from the built-in chains, in the order in which kube-proxy ensures them. Each is inserted at the top of its chain
 * when absent, so that the last one ends up first. The two to KUBE-FIREWALL are kubelet's as well and are not cleaned up.
 */
export const JUMP_RULES: readonly JumpRule[] = [
  jumpTo('filter', 'INPUT', 'KUBE-EXTERNAL-SERVICES', 'kubernetes externally-visible service portals', NEW_CONNECTIONS),
  jumpTo(
    'filter',
    'FORWARD',
    'KUBE-EXTERNAL-SERVICES',
    'kubernetes externally-visible service portals',
    NEW_CONNECTIONS,
  ),
  jumpTo('filter', 'INPUT', 'KUBE-NODEPORTS', 'kubernetes health check service ports'),
  jumpTo('filter', 'FORWARD', 'KUBE-SERVICES', 'kubernetes service portals', NEW_CONNECTIONS),
  jumpTo('filter', 'OUTPUT', 'KUBE-SERVICES', 'kubernetes service portals', NEW_CONNECTIONS),
  jumpTo('filter', 'FORWARD', 'KUBE-FORWARD', 'kubernetes forwarding rules'),
  jumpTo('filter', 'INPUT', 'KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', NEW_CONNECTIONS),
  jumpTo('filter', 'OUTPUT', 'KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', NEW_CONNECTIONS),
  jumpTo('filter', 'FORWARD', 'KUBE-PROXY-FIREWALL', 'kubernetes load balancer firewall', NEW_CONNECTIONS),
  jumpTo('nat', 'OUTPUT', 'KUBE-SERVICES', 'kubernetes service portals'),
  jumpTo('nat', 'PREROUTING', 'KUBE-SERVICES', 'kubernetes service portals'),
  jumpTo('nat', 'POSTROUTING', 'KUBE-POSTROUTING', 'kubernetes postrouting rules'),
  { table: 'filter', from: 'INPUT', to: 'KUBE-FIREWALL', rule: ['-j', 'KUBE-FIREWALL'] },
  { table: 'filter', from: 'OUTPUT', to: 'KUBE-FIREWALL', rule: ['-j', 'KUBE-FIREWALL'] },
];
