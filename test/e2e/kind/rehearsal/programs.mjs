// Stands in for docker, kind and kubectl: `programs.mjs PROGRAM ARGUMENTS...`. Every call is one line of $REHEARSAL/calls. Where the
// scripts look, they see a cluster in which everything happens at once and as it should; $REHEARSAL/state.json is what has been done
// to it. A question that this file does not know is an error, so that no step passes unseen.
// With $REAL_KUBECTL, whatever concerns the API server alone goes to a real one, by that kubectl and its own kubeconfig.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

const FOLDER = process.env.REHEARSAL;
const FILE = `${FOLDER}/state.json`;
const STATIC_POD = `${FOLDER}/kube-controller-manager.yaml`;
const KUBEADM_CONF = 'kind: InitConfiguration\nskipPhases:\n- preflight\n- addon/kube-proxy\n';
const START = { nginx: 3, unready: 0, leader: 'slicewise-control-plane_1', installed: false };

const [program, ...words] = process.argv.slice(2);
const line = words.join(' ');
appendFileSync(`${FOLDER}/calls`, `${JSON.stringify([program, ...words])}\n`);
const state = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : START;
const change = (to) => writeFileSync(FILE, JSON.stringify({ ...state, ...to }));

function end(text = '', status = 0) {
  process.stdout.write(text);
  process.exit(status);
}

function anotherLeads() {
  const [, term] = state.leader.split('_');
  change({ leader: `slicewise-worker_${Number(term) + 1}` });
}

const families = process.env.IP_FAMILY === 'ipv4' ? ['IPv4'] : ['IPv4', 'IPv6'];
const names = (app, count) => Array.from({ length: count }, (_, i) => `${app}-${i}`);
const podList = (app, count) => ({
  items: names(app, count).map((name) => ({
    metadata: { name },
    status: { containerStatuses: [{ restartCount: 0 }] },
  })),
});

function rules(family) {
  const to = family === 'iptables-save' ? '10.244.1.3:8080' : '[fd00:10:244:1::3]:8080';
  const lines = [];
  for (const [service, count] of [
    ['nginx-svc', state.nginx - state.unready],
    ['steady', 3],
  ])
    for (let left = count; left > 0; left--) {
      const share =
        left > 1 ? `-m statistic --mode random --probability ${left === 3 ? '0.33333333349' : '0.50000000000'} ` : '';
      lines.push(`-A KUBE-SVC-X -m comment --comment "default/${service} -> ${to}" ${share}-j KUBE-SEP-X`);
    }
  return `*nat\n${lines.join('\n')}\nCOMMIT\n`;
}

/** Runs a script that is meant for a node, on copies of the files that it names. */
function onNode(script, args, input) {
  const here = (text) =>
    text
      .replaceAll('/etc/kubernetes/manifests/kube-controller-manager.yaml', STATIC_POD)
      .replaceAll('/etc/kubernetes/edited.yaml', `${FOLDER}/edited.yaml`)
      .replaceAll('/kind/kubeadm.conf', `${FOLDER}/kubeadm.conf`)
      .replaceAll('/tmp/kube-proxy.conf', `${FOLDER}/kube-proxy.conf`)
      .replaceAll('kubeadm init phase', 'echo kubeadm init phase');
  writeFileSync(`${FOLDER}/kubeadm.conf`, KUBEADM_CONF);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', here(script), ...args.map(here)], {
    input,
    encoding: 'utf8',
  });
  process.stderr.write(stderr);
  return { status, stdout };
}

function docker() {
  if (words[0] === 'exec') return dockerExec(words.slice(words[1] === '--interactive' ? 2 : 1));
  if (line.startsWith('container inspect')) return end('', 1);
  if (line.startsWith('inspect --format')) return end('172.18.0.3 fc00:f853:ccd:e793::3\n');
  if (/^(info|build|rm|run) ?/.test(line)) return end();
}

function dockerExec([, ...command]) {
  const text = command.join(' ');
  if (/^ip6?tables-save -t nat$/.test(text)) return end(rules(command[0]));
  if (text === 'iptables --version') return end('iptables v1.8.11 (nf_tables)\n');
  if (text.startsWith('grep -q')) return end('', spawnSync('grep', [...command.slice(1, -1), STATIC_POD]).status);
  if (text.startsWith('curl')) return end('', state.installed ? 0 : 28);
  if (text.startsWith('crictl ps --quiet')) return end('0123abc\n');
  if (text === 'crictl inspect 0123abc') return end(JSON.stringify({ info: { pid: 4711 } }));
  if (text === 'kill -KILL 4711') return end(anotherLeads());
  if (text.includes('load.mjs --report')) return end('{"requests":1,"failures":{}}');
  if (command[0] !== 'sh') return undefined;
  if (text.includes('curl')) return end('', state.installed ? 0 : 1);
  const { status, stdout } = onNode(command[2], command.slice(3), text.includes('kubeadm') ? readFileSync(0) : '');
  if (text.includes('kubeadm init') && process.env.REAL_KUBECTL)
    realKubectl(['apply', '-f', `${FOLDER}/kube-proxy.yaml`]);
  return end(stdout, status);
}

function kind() {
  if (line === 'get clusters') return end(process.env.CLUSTERS ?? '');
  if (/^(create cluster|load docker-image|export logs|delete cluster) /.test(line)) return end();
}

/** [pattern, what it does, whether a real API server can do it as well] */
const KUBECTL = [
  [/^(-n kube-system )?(rollout status|wait) /, () => ''],
  [/^get service kubernetes -o jsonpath=\{.spec.clusterIP\}$/, () => '10.96.0.1', true],
  [/^get service nginx-svc -o jsonpath=\{.spec.clusterIPs\[\*\]\}$/, () => '10.96.7.7 fd00:10:96::7', true],
  [/^get service nginx-svc -o jsonpath=\{.spec.ports\[0\].nodePort\}$/, () => '31234', true],
  [/^-n kube-system get daemonset kube-proxy --ignore-not-found -o name$/, () => '', true],
  [/^create configmap .* --dry-run=client -o yaml$/, () => '', true],
  [/^apply -k /, () => change({ installed: true }), true],
  [/^apply -f /, () => '', true],
  [/^rollout restart |^-n kube-system rollout restart /, () => '', true],
  [/^-n kube-system scale |^label node |^(-n kube-system )?patch |^-n kube-system delete daemonset /, () => '', true],
  [/^scale deployment nginx --replicas=(\d)$/, ([, count]) => change({ nginx: Number(count) }), true],
  [/^get pods -l app=(nginx|steady) -o json$/, ([, app]) => JSON.stringify(podList(app, state[app] ?? 3))],
  [/^get pods -l app=(asking-\w+) -o json$/, ([, app]) => JSON.stringify(podList(app, 2))],
  [/^get pod nginx-0 -o jsonpath=\{.status.podIP\}$/, () => '10.244.1.3'],
  [/^get endpointslices -l \S+ -o json$/, () => JSON.stringify({ items: families.map(slice) })],
  [/^get endpointslices -l \S+ -o name --sort-by=/, () => 'endpointslice.discovery.k8s.io/nginx-svc-abcde\n', true],
  [/^exec \S+ -- \S+ -e fetch\('.*\?set=(\w+)'\)$/, ([, ready]) => change({ unready: ready === 'true' ? 0 : 1 })],
  [/^exec \S+ -- \S+ \/scripts\/load.mjs /, () => '{"requests":1,"failures":{}}'],
  [/^-n kube-system get lease slicewise-controller /, () => state.leader],
  [
    /^-n kube-system get pods .*spec.nodeName=(\S+) -o jsonpath=\{.items\[0\].metadata.name\}$/,
    ([, node]) => `pod-${node}`,
  ],
  [/^-n kube-system get pods .*spec.nodeName=.*type=="Ready"/, () => 'True'],
  [/^-n kube-system get pods -l \S+ -o name$/, () => '', true],
  [/^-n kube-system delete pod \S+ --wait=false$/, () => anotherLeads()],
  [/^-n kube-system get pod kube-controller-manager-slicewise-control-plane /, () => readFileSync(STATIC_POD, 'utf8')],
];

function slice(addressType) {
  const endpoints = names('nginx', state.nginx).map((_, i) => ({ conditions: { ready: i >= state.unready } }));
  return { metadata: { name: addressType }, addressType, endpoints };
}

/** @returns {number} its status */
function realKubectl(args) {
  const env = { ...process.env, KUBECONFIG: `${FOLDER}/real.kubeconfig` };
  const flags = ['--cache-dir', `${FOLDER}/cache`];
  return spawnSync(process.env.REAL_KUBECTL, [...flags, ...args], { env, stdio: 'inherit' }).status ?? 1;
}

function kubectl() {
  if (words[0] !== '--context' || words[1] !== 'kind-slicewise') return end('the wrong cluster\n', 1);
  const text = words.slice(2).join(' ');
  for (const [pattern, answer, api] of KUBECTL) {
    const found = pattern.exec(text);
    if (!found) continue;
    const simulated = answer(found) ?? '';
    if (!api || !process.env.REAL_KUBECTL) return end(simulated);
    return end('', realKubectl(words));
  }
}

({ docker, kind, kubectl })[program]();
appendFileSync(`${FOLDER}/unknown`, `${program} ${line}\n`);
end(`the rehearsal does not know: ${program} ${line}\n`, 64);
