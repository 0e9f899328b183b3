import type { Command } from 'commander';

export interface Subcommand {
  name: string;
  summary: string;
  load(): Promise<Command>;
}

export const subcommands: Subcommand[] = [
  {
    name: 'demo',
    summary: 'from Pod to packet: a small cluster in network namespaces, walked through step by step',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  {
    name: 'devcluster',
    summary: 'an embedded Kubernetes API server with nodes and kubelets, for kubectl and for tests',
    load: async () => (await import('./devcluster.ts')).devclusterCommand(),
  },
  {
    name: 'controller',
    summary: 'the EndpointSlice controller: turns Services and Pods into EndpointSlices',
    load: async () => (await import('./controller.ts')).controllerCommand(),
  },
  {
    name: 'proxier',
    summary: "the node's proxy: turns Services and EndpointSlices into iptables rules",
    load: async () => (await import('./proxier.ts')).proxierCommand(),
  },
];

export function programHelp(): string {
  const width = Math.max(...subcommands.map((s) => s.name.length));
  const rows = subcommands.map((s) => `  ${s.name.padEnd(width)}  ${s.summary}`);
  return [
    'Usage: slicewise <command> [options]',
    '',
    'The EndpointSlice controller and kube-proxy of Kubernetes, in TypeScript, able to explain themselves.',
    '',
    'Commands:',
    ...rows,
    '',
    '"slicewise <command> --help" shows the options of one command.',
    '',
  ].join('\n');
}
