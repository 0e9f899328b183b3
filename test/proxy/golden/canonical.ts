/**
 * The canonical form of a restore input that the golden README defines, in which the order of Services does not show. One thing
 * is stricter here: the ports of one Service are put in order too, since upstream writes them in random order as well. So the
 * golden text has to pass through this function before it is compared.
 */
export function canonical(restoreInput: string): string {
  const tables = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of restoreInput.split('\n')) {
    if (line.startsWith('*')) {
      lines = [];
      tables.set(line, lines);
    } else if (line !== '' && line !== 'COMMIT') {
      lines.push(line);
    }
  }
  return [...tables.keys()]
    .sort()
    .map((table) => `${[table, ...canonicalTable(tables.get(table) ?? []), 'COMMIT'].join('\n')}\n`)
    .join('');
}

function canonicalTable(lines: string[]): string[] {
  const declarations = new Map(
    lines.filter((line) => line.startsWith(':')).map((line) => [line.slice(1).split(' ', 1)[0] ?? '', line]),
  );
  const chains = [...declarations.keys()].sort(byChain);
  const ofChain = (verb: string, chain: string) => lines.filter((line) => `${line} `.startsWith(`${verb} ${chain} `));
  const undeclared = lines.filter((line) => !line.startsWith(':') && !declarations.has(line.split(' ', 2)[1] ?? ''));
  return [
    ...chains.map((chain) => declarations.get(chain) ?? ''),
    ...chains.flatMap((chain) => sortDispatch(chain, ofChain('-A', chain))),
    ...chains.flatMap((chain) => ofChain('-X', chain)),
    ...undeclared,
  ];
}

function byChain(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

function rank(chain: string): number {
  if (chain === 'KUBE-NODEPORTS') return 0;
  if (chain === 'KUBE-SERVICES') return 1;
  return chain.startsWith('KUBE-') ? 2 : 3;
}

function sortDispatch(chain: string, rules: string[]): string[] {
  if (chain !== 'KUBE-NODEPORTS' && chain !== 'KUBE-SERVICES') return rules;
  const key = (rule: string) => {
    if (rule.includes('must be the last rule')) return '\uffff';
    const [, service = '', port = ''] = /--comment "?([^ ":]*):?([^ "]*)/.exec(rule) ?? [];
    return [service, port, / -p (\S+)/.exec(rule)?.[1]].join(' ');
  };
  return rules.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
