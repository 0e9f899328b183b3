import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ExecResult } from '../../../../src/embedded/hosts/hosts.ts';
import type { Stage } from './world.ts';

const PODS = join(import.meta.dirname, '..', 'pods');
const OK: ExecResult = { code: 0, stdout: '', stderr: '' };
const READY_ANNOTATION = 'slicewise.dev/ready';

/** Plays what concerns the originals. Resolves with undefined for a call that does not. */
export type Extra = (program: 'docker' | 'kubectl', args: readonly string[]) => Promise<ExecResult | undefined>;

/** Plays docker and kubectl on a stage. What concerns the API server alone is done by the machine's own kubectl. */
export class Programs {
  readonly #stage: Stage;
  /** Every call, in order. */
  readonly calls: string[] = [];

  /** Asked first. */
  extra: Extra = () => Promise.resolve(undefined);

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Answers the stand-ins at a socket of the file system. */
  async listen(socket: string): Promise<Server> {
    const server = createServer(async (request, response) => {
      const [program = '', ...args]: string[] = JSON.parse(await text(request));
      this.calls.push([program, ...args].join(' '));
      const result = await this.#run(program, args).catch((error: unknown) => ({
        ...OK,
        code: 70,
        stderr: String(error),
      }));
      response.end(JSON.stringify(result));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    return server;
  }

  #run(program: string, args: string[]): Promise<ExecResult> {
    if (program === 'docker') return this.#docker(args);
    const [flag, context, ...rest] = args;
    if (flag !== '--context' || context !== 'kind-slicewise') throw new Error('kubectl of another cluster');
    return this.kubectl(rest);
  }

  async kubectl(args: string[]): Promise<ExecResult> {
    const line = args.join(' ');
    const extra = await this.extra('kubectl', args);
    if (extra) return extra;
    if (args[0] === 'exec') return this.#execInPod(args[1] ?? '', args.slice(3));
    // DaemonSets and the parts' Deployment are processes here.
    if (line === '-n kube-system rollout restart daemonset/slicewise-proxier')
      return this.#stage.restartProxiers().then(() => OK);
    if (line.startsWith('-n kube-system rollout status deployment/slicewise-controller '))
      return this.#stage.controllersRun().then(() => OK);
    if (line.startsWith('-n kube-system rollout status daemonset/slicewise-proxier ')) return OK;
    const [, node] = /^-n kube-system delete pod slicewise-controller-(\S+) --wait=false$/.exec(line) ?? [];
    if (node !== undefined) {
      this.#stage.controllerOn(node).kill('SIGTERM');
      return OK;
    }
    return this.#realKubectl(args);
  }

  async #execInPod(pod: string, command: string[]): Promise<ExecResult> {
    const name = pod.replace(/^pod\//, '');
    const [, ready] = /\/ready\?set=(\w+)/.exec(command.join(' ')) ?? [];
    // Readiness probes are played by an annotation.
    if (ready !== undefined)
      return this.#realKubectl(['annotate', '--overwrite', 'pod', name, `${READY_ANNOTATION}=${ready}`]);
    const [, node] = /^asking-node-(.+)$/.exec(name) ?? [];
    // Nobody runs a DNS server here.
    const [, service] = /^(\S+)\.default\.svc\.cluster\.local$/.exec(command[2] ?? '') ?? [];
    if (service !== undefined) {
      const { stdout } = await this.#realKubectl(['get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}']);
      command[2] = stdout;
    }
    return this.#node(node ?? `default/${name}`, command);
  }

  /** Runs a program of the images, on this machine's Node and with the scripts where they are. */
  #node(host: string, [, ...args]: string[]): Promise<ExecResult> {
    const here = args.map((word) => word.replace('/scripts', PODS));
    return this.#stage.hosts.exec(host, [process.execPath, ...here], { timeoutMs: 60_000 });
  }

  async #docker(args: string[]): Promise<ExecResult> {
    const line = args.join(' ');
    const extra = await this.extra('docker', args);
    if (extra) return extra;
    const [command, host = '', ...rest] = args;
    if (command === 'run') return this.#node('client', ['', ...args.slice(args.indexOf('/scripts/load.mjs'))]);
    if (command === 'inspect') return { ...OK, stdout: `${this.#stage.addressesOf(args.at(-1) ?? '').join(' ')}\n` };
    if (command !== 'exec') throw new Error(`docker ${line}`);
    if (host === 'slicewise-outside') return this.#node('client', rest);
    if (line.includes(' crictl ps ')) return { ...OK, stdout: `${host}\n` };
    if (line.includes(' crictl inspect '))
      return { ...OK, stdout: JSON.stringify({ info: { pid: this.#stage.controllerOn(host).pid } }) };
    return this.#stage.hosts.exec(host, rest);
  }

  #realKubectl(args: string[]): Promise<ExecResult> {
    const flags = ['--kubeconfig', this.#stage.kubeconfig, '--cache-dir', join(this.#stage.hosts.runDir, 'cache')];
    return new Promise((resolve) => {
      execFile('kubectl', [...flags, ...args], (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr });
      });
    });
  }
}
