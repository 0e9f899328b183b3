import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecResult, HostProcess } from '../../../../src/embedded/hosts/hosts.ts';
import { adminPath } from '../../../../src/embedded/hosts/prerequisites.ts';
import { startRealControllerManager } from '../../../support/real-controller-manager.ts';
import type { RunningController } from '../../../support/running-controller.ts';
import { NODES, type Stage } from './world.ts';

const OFF = ',-endpointslice-controller';
const done = (stdout = ''): ExecResult => ({ code: 0, stdout, stderr: '' });
const list = (running: readonly string[]) => done(running.map((node) => `pod/on-${node}\n`).join(''));

/** The programs in `assets`, or undefined when one of them is not there. */
export function originalsIn(assets: string | undefined): { manager: string; proxy: string } | undefined {
  if (assets === undefined) return undefined;
  const [manager, proxy] = [join(assets, 'kube-controller-manager'), join(assets, 'kube-proxy')];
  return existsSync(manager) && existsSync(proxy) ? { manager, proxy } : undefined;
}

/** kube-controller-manager's EndpointSlice controller and kube-proxy, the real programs, on a stage. */
export class Originals {
  readonly #stage: Stage;
  readonly #programs: { manager: string; proxy: string };
  readonly #proxies = new Map<string, HostProcess>();
  #manager: RunningController | undefined;
  #flags = `--controllers=*,bootstrapsigner,tokencleaner${OFF}`;

  constructor(stage: Stage, programs: { manager: string; proxy: string }) {
    this.#stage = stage;
    this.#programs = programs;
  }

  async stop(): Promise<void> {
    await this.#manager?.stop();
    for (const node of this.#proxies.keys()) await this.#stopProxy(node);
  }

  /** See `Extra`. */
  readonly play = async (program: 'docker' | 'kubectl', args: readonly string[]): Promise<ExecResult | undefined> => {
    const line = args.join(' ');
    if (program === 'docker') return this.#docker(line, args);
    const stage = this.#stage;
    const [, replicas] = /^-n kube-system scale deployment slicewise-controller --replicas=(\d)$/.exec(line) ?? [];
    if (replicas) return stage.scaleControllers(replicas !== '0').then(() => done());
    const [, app] = /^-n kube-system get pods -l (\S+) -o name$/.exec(line) ?? [];
    if (app === 'app.kubernetes.io/name=slicewise-controller') return list(stage.runningControllers);
    if (app === 'app.kubernetes.io/name=slicewise-proxier') return list(stage.runningProxiers);
    if (app === 'k8s-app=kube-proxy') return list([...this.#proxies.keys()]);
    if (line.includes('get pod kube-controller-manager-')) return done(this.#flags);
    if (line.includes('wait --for=condition=Ready pod/kube-controller-manager-')) return done();
    if (line.startsWith('-n kube-system patch daemonset slicewise-proxier ')) {
      for (const node of stage.runningProxiers) await stage.stopProxier(node);
      return done();
    }
    const [, node] = /^label node (\S+) slicewise-proxier=true$/.exec(line) ?? [];
    if (node) {
      await this.#stopProxy(node);
      await stage.startProxier(node);
      return done();
    }
    const [, asked = ''] = /spec\.nodeName=(\S+) -o jsonpath=.*type=="Ready"/.exec(line) ?? [];
    if (stage.runningProxiers.includes(asked)) return done('True');
    if (/daemonset\/? ?kube-proxy|apply -k /.test(line)) return done();
    return undefined;
  };

  async #docker(line: string, args: readonly string[]): Promise<ExecResult | undefined> {
    if (line.includes('kubeadm init phase addon kube-proxy')) {
      for (const node of NODES) await this.#startProxy(node);
      return done();
    }
    if (!line.includes('/etc/kubernetes/edited.yaml')) return undefined;
    // The static Pod's flags are one line here.
    const script = args.at(-2) ?? '';
    const { stdout } = await this.#stage.hosts.exec('client', ['sed', script], { input: this.#flags });
    this.#flags = stdout;
    await this.#manager?.stop();
    this.#manager = undefined;
    if (!this.#flags.includes(OFF)) await this.#startManager();
    return done();
  }

  async #startManager(): Promise<void> {
    // The embedded API server speaks JSON to whoever asks for it.
    const flags = ['--kube-api-content-type=application/json'];
    const { kubeconfig } = this.#stage;
    this.#manager = await startRealControllerManager(this.#programs.manager, { kubeconfig, token: '', flags });
  }

  async #startProxy(node: string): Promise<void> {
    const { hosts } = this.#stage;
    const none = ['max-per-core', 'tcp-timeout-established', 'tcp-timeout-close-wait'].map(
      (name) => `--conntrack-${name}=0`,
    );
    const flags = ['--proxy-mode=iptables', '--v=4', '--kube-api-content-type=application/json', ...none];
    const command = [this.#programs.proxy, ...this.#stage.proxyFlags(node), ...flags];
    // Plain iptables, which the proxier follows as well where no kubelet has left a hint.
    const process_ = await hosts.spawn(node, command, { env: { PATH: adminPath() } });
    await process_.waitForLine(/SyncProxyRules complete/);
    this.#proxies.set(node, process_);
  }

  async #stopProxy(node: string): Promise<void> {
    const process = this.#proxies.get(node);
    this.#proxies.delete(node);
    process?.kill('SIGTERM');
    await process?.exited;
  }
}
