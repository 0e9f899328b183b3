import type { ProxyEndpoint } from '../endpoints.ts';
import type { ServicePortRecord } from '../service-ports.ts';
import { endpointChainName } from './chain-names.ts';
import type { RuleText } from './rules.ts';
import { comment, jump, protocolMatch, rule } from './words.ts';

/**
 * The rules of a policy chain that pick one endpoint: first the one that already knows the client (ClientIP affinity), else
 * each with the same chance, by taking the k-th from the end with probability 1/k.
 */
export function policyRules(
  record: ServicePortRecord,
  endpoints: readonly ProxyEndpoint[],
  comments: boolean,
): RuleText[] {
  const rules: RuleText[] = [];
  const targets = endpoints.map(({ address }) => ({
    chain: endpointChainName(record.display, record.protocol, address),
    about: comments ? comment(`${record.display} -> ${address}`) : '',
  }));
  if (record.affinitySeconds > 0) {
    for (const { chain, about } of targets) {
      const known = `-m recent --name ${chain} --rcheck --seconds ${record.affinitySeconds} --reap`;
      rules.push(rule(about, known, jump(chain)));
    }
  }
  targets.forEach(({ chain, about }, i) => {
    const left = targets.length - i;
    const chance = left > 1 ? `-m statistic --mode random --probability ${probability(left)}` : '';
    rules.push(rule(about, chance, jump(chain)));
  });
  return rules;
}

/** One chain per endpoint: mark hairpin traffic for masquerading, remember the client for affinity, translate the address. */
export function* endpointChains(
  record: ServicePortRecord,
  endpoints: readonly ProxyEndpoint[],
  comments: boolean,
): Generator<[chain: string, rules: readonly RuleText[]]> {
  const about = comments ? comment(record.display) : '';
  for (const { ip, address } of endpoints) {
    const chain = endpointChainName(record.display, record.protocol, address);
    const remember = record.affinitySeconds > 0 ? `-m recent --name ${chain} --set` : '';
    yield [
      chain,
      [
        rule(about, `-s ${ip}`, jump('KUBE-MARK-MASQ')),
        rule(about, remember, protocolMatch(record.protocol), `-j DNAT --to-destination ${address}`),
      ],
    ];
  }
}

/** 1/n with ten decimals, as kube-proxy prints it. */
export function probability(n: number): string {
  return (1 / n).toFixed(10);
}
