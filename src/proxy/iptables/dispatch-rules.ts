import type { DispatchRule, TableName } from './rules.ts';
import type { ServicePortPlan } from './service-plan.ts';
import { comment, jump, protocolMatch, rule } from './words.ts';

/** The rules of one service port in the chains that all Services share, in kube-proxy's order. */
export function dispatchRules(plan: ServicePortPlan): DispatchRule[] {
  return [...clusterIPRules(plan), ...externalIPRules(plan), ...loadBalancerRules(plan), ...nodePortRules(plan)];
}

function clusterIPRules(plan: ServicePortPlan): DispatchRule[] {
  const { record, internal } = plan;
  const to = `-d ${record.clusterIP} --dport ${record.port}`;
  if (internal.usable) {
    return [
      nat(
        'KUBE-SERVICES',
        comment(`${record.display} cluster IP`),
        protocolMatch(record.protocol),
        to,
        jump(internal.chain),
      ),
    ];
  }
  return [filter('KUBE-SERVICES', ...refusal(plan, to))];
}

function externalIPRules(plan: ServicePortPlan): DispatchRule[] {
  const { record, names, endpoints, external } = plan;
  return plan.externalIPs.flatMap((ip) => {
    const to = `-d ${ip} --dport ${record.port}`;
    const rules: DispatchRule[] = [];
    if (endpoints.hasAny) {
      rules.push(
        nat(
          'KUBE-SERVICES',
          comment(`${record.display} external IP`),
          protocolMatch(record.protocol),
          to,
          jump(names.external),
        ),
      );
    }
    if (!external.usable) rules.push(filter('KUBE-EXTERNAL-SERVICES', ...refusal(plan, to)));
    return rules;
  });
}

function loadBalancerRules(plan: ServicePortPlan): DispatchRule[] {
  const { record, names, endpoints, external, firewalled } = plan;
  const protocol = protocolMatch(record.protocol);
  const rules: DispatchRule[] = [];
  for (const vip of record.loadBalancerVIPs) {
    const to = `-d ${vip} --dport ${record.port}`;
    if (endpoints.hasAny) {
      const target = firewalled ? names.firewall : names.external;
      rules.push(nat('KUBE-SERVICES', comment(`${record.display} loadbalancer IP`), protocol, to, jump(target)));
    }
    if (firewalled) {
      const about = comment(`${record.display} traffic not accepted by ${names.firewall}`);
      rules.push(filter('KUBE-PROXY-FIREWALL', about, protocol, to, jump('DROP')));
    }
  }
  if (!external.usable) {
    for (const vip of record.loadBalancerVIPs) {
      rules.push(filter('KUBE-EXTERNAL-SERVICES', ...refusal(plan, `-d ${vip} --dport ${record.port}`)));
    }
  }
  return rules;
}

function nodePortRules(plan: ServicePortPlan): DispatchRule[] {
  const { record, config, names, endpoints, external } = plan;
  const rules: DispatchRule[] = [];
  if (record.nodePort !== 0) {
    const port = `--dport ${record.nodePort}`;
    const about = comment(record.display);
    const protocol = protocolMatch(record.protocol);
    if (endpoints.hasAny) {
      if (config.localhostNodePorts && config.ipFamily === 'IPv4' && config.nfacctCounters.localhostNodePortsAccepted) {
        const counted = `-d 127.0.0.0/8 ${port} -m nfacct --nfacct-name localhost_nps_accepted_pkts`;
        rules.push(nat('KUBE-NODEPORTS', about, protocol, counted, jump(names.external)));
      }
      rules.push(nat('KUBE-NODEPORTS', about, protocol, port, jump(names.external)));
    }
    if (!external.usable) {
      const [why, ...rest] = refusal(plan, port);
      rules.push(filter('KUBE-EXTERNAL-SERVICES', why, '-m addrtype --dst-type LOCAL', ...rest));
    }
  }
  if (record.healthCheckNodePort !== 0) {
    const about = comment(`${record.display} health check node port`);
    rules.push(filter('KUBE-NODEPORTS', about, `-m tcp -p tcp --dport ${record.healthCheckNodePort}`, jump('ACCEPT')));
  }
  return rules;
}

/** REJECT when there is no endpoint anywhere, DROP when others exist elsewhere: a client should then try another node. */
function refusal({ record, endpoints }: ServicePortPlan, to: string): [string, ...string[]] {
  const why = endpoints.hasAny ? 'has no local endpoints' : 'has no endpoints';
  return [
    comment(`${record.display} ${why}`),
    protocolMatch(record.protocol),
    to,
    jump(endpoints.hasAny ? 'DROP' : 'REJECT'),
  ];
}

function nat(chain: DispatchRule['chain'], ...parts: string[]): DispatchRule {
  return dispatch('nat', chain, parts);
}

function filter(chain: DispatchRule['chain'], ...parts: string[]): DispatchRule {
  return dispatch('filter', chain, parts);
}

function dispatch(table: TableName, chain: DispatchRule['chain'], parts: string[]): DispatchRule {
  return { table, chain, rule: rule(...parts) };
}
