/** Chains in which the order of Services does not matter, and differs from run to run of kube-proxy. */
const DISPATCH = /^-A KUBE-(SERVICES|NODEPORTS|EXTERNAL-SERVICES|PROXY-FIREWALL) /;
const LAST_RULE = /must be the last rule/;

/**
 * iptables-save without what two correct proxies may differ in: counters, remarks, the order of tables, of chains' declarations,
 * and of Services in the chains that all of them share; and the canary, which comes some time after the first sync.
 */
export function canonicalSave(save: string): string[] {
  const sections = save
    .replace(/ \[\d+:\d+\]$/gm, '')
    .split(/^(?=\*)/m)
    .filter((section) => section.startsWith('*'));
  return sections.sort().flatMap((section) => {
    const lines = section
      .split('\n')
      .filter((line) => /^(\*|:|-A )/.test(line) && !line.startsWith(':KUBE-PROXY-CANARY '));
    const table = lines.shift() ?? '';
    const rank = (line: string) => (line.startsWith(':') ? 0 : LAST_RULE.test(line) ? 3 : DISPATCH.test(line) ? 2 : 1);
    const sorted = lines.filter((line) => rank(line) !== 1).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    // Within any other chain the order counts; the order of those chains does not.
    const kept = lines.filter((line) => rank(line) === 1).sort((a, b) => compare(chainOf(a), chainOf(b)));
    return [...sorted, ...kept].map((line) => `${table} ${line}`);
  });
}

function chainOf(line: string): string {
  return line.split(' ', 2)[1] ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
