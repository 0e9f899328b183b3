import { Command, InvalidArgumentError } from 'commander';
import { startDevCluster } from '../embedded/devcluster.ts';
import { NamespaceHosts } from '../embedded/hosts/namespace-hosts.ts';
import { supervisorPid } from '../embedded/hosts/traces.ts';
import { createLogger } from '../observe/logger.ts';
import { UserError } from '../user-error.ts';
import { leavingSignal } from './leaving.ts';

interface Flags {
  nodes: number;
  port: number;
  kubeconfigOut?: string;
  hosts?: boolean;
  v: number;
}

export function devclusterCommand(): Command {
  return new Command('devcluster')
    .description(
      'An embedded Kubernetes API server with nodes and kubelets, for kubectl and for tests. Ctrl-C removes all.',
    )
    .option('--nodes <n>', 'nodes, the first of them the control plane; 0: the API server alone', count(64), 3)
    .option('--port <n>', 'port of the API server on loopback; 0: any free one', count(65535), 0)
    .option('--kubeconfig-out <file>', 'write the kubeconfig there; it is removed at the end')
    .option('--hosts', 'nodes and Pods as network namespaces with real servers, instead of addresses only')
    .option('-v, --v <level>', 'log verbosity; 4 and more shows debugging lines', count(10), 0)
    .action((flags: Flags) => run(flags));
}

async function run(flags: Flags): Promise<void> {
  const signal = leavingSignal();
  const cluster = await startDevCluster({
    nodes: flags.nodes,
    port: flags.port,
    kubeconfigOut: flags.kubeconfigOut,
    realHosts: flags.hosts ?? false,
    logger: createLogger({ level: flags.v >= 4 ? 'debug' : 'warn' }),
  }).catch((error: unknown) => {
    throw new UserError(error instanceof Error ? error.message : String(error), { cause: error });
  });
  const { api, kubeconfig, hosts } = cluster;
  const print = (line: string) => process.stdout.write(`${line}\n`);
  try {
    const nodes = flags.nodes === 0 ? 'no nodes' : hosts.topology.nodes.map(({ name }) => name).join(', ');
    print(`API server at ${api.url}; ${nodes}`);
    if (hosts instanceof NamespaceHosts) {
      const user = hosts.rootless ? '-U --preserve-credentials ' : '';
      const enter = `nsenter -t ${supervisorPid(hosts.pid)} ${user}-m -- nsenter --net=${hosts.runDir}/ns/`;
      print(`a command on a node: ${enter}${hosts.topology.nodes.at(-1)?.name} -- iptables-save`);
      print(`kubeconfig for commands on nodes: ${hosts.runDir}/node.kubeconfig`);
    }
    print(`export KUBECONFIG=${kubeconfig}`);
    await Promise.race([
      new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
      hosts.lost.then((error) => Promise.reject(new UserError(error.message))),
    ]);
  } finally {
    await cluster.stop();
  }
  print('stopped, and everything removed');
}

function count(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > max)
      throw new InvalidArgumentError(`"${text}" is not a whole number from 0 to ${max}.`);
    return value;
  };
}
