/** Reads the text of `iptables-save -t nat` as far as a walk along one Service needs. Pure. */

export interface ServiceView {
  /** Lines of one Service, in the order in which a packet meets them. */
  dispatch: string | undefined;
  /** Rules of its KUBE-SVC- chain. */
  balance: string[];
  /** KUBE-SEP- chain -> its rules. */
  endpoints: Map<string, string[]>;
  /** `10.244.1.2:80` of every endpoint that the chain can choose. */
  targets: string[];
}

/** @param service `namespace/name` */
export function serviceView(save: string, service: string): ServiceView {
  const lines = save.split('\n').filter((line) => line.startsWith('-A '));
  const dispatch = lines.find(
    (line) => line.startsWith('-A KUBE-SERVICES ') && line.includes(`"${service} cluster IP"`),
  );
  const chain = jumpOf(dispatch);
  const balance = chain === undefined ? [] : rulesOf(lines, chain);
  const endpoints = new Map<string, string[]>();
  const targets: string[] = [];
  for (const rule of balance) {
    const endpoint = jumpOf(rule);
    if (!endpoint?.startsWith('KUBE-SEP-')) continue;
    const rules = rulesOf(lines, endpoint);
    endpoints.set(endpoint, rules);
    const target = /--to-destination (\S+)/.exec(rules.join('\n'))?.[1];
    if (target) targets.push(target);
  }
  return { dispatch, balance, endpoints, targets };
}

/** Whether new connections to this Service are refused (the filter table, `iptables-save` of all tables). */
export function isRejected(save: string, service: string): boolean {
  return save.split('\n').some((line) => line.includes(`"${service} has no endpoints"`) && line.includes('-j REJECT'));
}

export function nodePortRule(save: string, service: string): string | undefined {
  return save
    .split('\n')
    .find((line) => line.startsWith('-A KUBE-NODEPORTS ') && new RegExp(`--comment "?${service}"? `).test(line));
}

function rulesOf(lines: readonly string[], chain: string): string[] {
  return lines.filter((line) => line.startsWith(`-A ${chain} `));
}

function jumpOf(rule: string | undefined): string | undefined {
  return rule && /-j (\S+)/.exec(rule)?.[1];
}

/** One sentence on what a rule does, for somebody who sees it for the first time. */
export function explainRule(rule: string, pods: ReadonlyMap<string, string>): string {
  const target = jumpOf(rule);
  const address = / -> ([\d.]+:\d+)"/.exec(rule)?.[1] ?? '';
  const pod = pods.get(address.split(':')[0] ?? '');
  const where = pod === undefined ? address : `${pod} (${address})`;
  const probability = /--probability (\S+)/.exec(rule)?.[1];
  if (rule.startsWith('-A KUBE-SERVICES ')) {
    const ip = /-d (\S+?)\/32/.exec(rule)?.[1];
    const port = /--dport (\d+)/.exec(rule)?.[1];
    return `A packet to ${ip}:${port}, the Service's ClusterIP, goes on in the Service's own chain. No machine has this address; it exists in these rules only.`;
  }
  if (probability !== undefined) {
    const odds = 1 / Number(probability);
    return `With probability 1/${Math.round(odds)}, this connection goes to ${where}. ${roundingNote(probability)}`.trimEnd();
  }
  if (target?.startsWith('KUBE-SEP-')) return `What is left over goes to ${where}: the last rule needs no dice.`;
  if (target === 'KUBE-MARK-MASQ' && rule.includes('! -s ')) {
    return "Not sent by a Pod: mark it, so that it leaves with the node's address and the answer finds its way back through here.";
  }
  if (target === 'KUBE-MARK-MASQ') {
    return 'A Pod that was dealt itself: mark it too, or it would answer itself directly and not recognise the answer.';
  }
  if (target === 'DNAT') {
    return "Here it happens: the destination becomes the Pod's. Later packets of this connection follow without asking the rules again.";
  }
  return '';
}

/** The kernel keeps probabilities as multiples of 2^-31, which shows in the digits. */
function roundingNote(probability: string): string {
  if (probability === '0.33333333349') return 'One third, as near as the kernel can store it (a multiple of 1/2³¹).';
  if (Number(probability) === 0.5)
    return 'It is reached by two thirds of the connections only, and half of two thirds is one third.';
  return '';
}
