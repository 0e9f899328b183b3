import { dualStack, type PodShape, patch, patchService, pod, remove, report, seen, service } from '../actions.ts';
import type { Action, Scenario, Step } from '../scenario.ts';

const SERVICES = ['s0', 's1'];

/** Ports of Pods, and ports of Services that may or may not find them. */
const POD_PORTS = [
  [],
  [{ name: 'http', containerPort: 8080 }],
  [
    { name: 'http', containerPort: 9090 },
    { name: 'm', containerPort: 1, protocol: 'UDP' },
  ],
  [{ name: 'http', containerPort: 8080, protocol: 'UDP' }],
];
const SERVICE_PORTS = [
  [{ name: 'http', port: 80, targetPort: 8080 }],
  [{ name: 'http', port: 80, targetPort: 'http' }],
  [
    { name: 'http', port: 80, targetPort: 'http' },
    { name: 'm', port: 81, targetPort: 'm', protocol: 'UDP' },
  ],
  [
    { name: 'a', port: 80 },
    { name: 'b', port: 443, appProtocol: 'https' },
  ],
];
const SELECTORS = [{ app: 'web' }, { app: 'db' }, { app: 'web', tier: 'x' }, { tier: 'y' }, { app: 'none' }];
/** What somebody does to slices by hand. */
const EDITS = [
  { endpoints: null },
  { ports: [{ name: 'odd', port: 9, protocol: 'TCP' }] },
  { metadata: { labels: { mine: 'x' }, annotations: { mine: 'x' } } },
  { metadata: { annotations: { other: 'x' } } },
];
const FAMILIES = [{}, dualStack, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] }];

class Walk {
  readonly #seed: number;
  #state: number;
  #pods = new Set<string>();
  #services = new Set<string>();
  #serial = 0;

  constructor(seed: number) {
    this.#seed = seed;
    // Small seeds are much alike to begin with.
    this.#state = seed * 0x9e3779b1;
  }

  scenario(length: number): Scenario {
    const begin: Step = {
      step: 'the beginning',
      do: [...Array.from({ length: 6 }, () => this.#newPod()).flat(), seen, ...SERVICES.map(() => this.#newService())],
      compare: 'endpoints',
    };
    const rest = Array.from({ length }, (_, i): Step => ({ step: `${i}`, do: this.#next(), compare: 'endpoints' }));
    return { name: `whatever happens, ${this.#seed}`, steps: [begin, ...rest] };
  }

  #next(): Action[] {
    const name = this.#pick([...this.#pods]);
    const of = this.#pick([...this.#services]);
    if (name === undefined || this.#chance(0.15)) return this.#newPod();
    if (of === undefined || (this.#services.size < SERVICES.length && this.#chance(0.3))) return [this.#newService()];
    const choices: (() => Action)[] = [
      () => report(name, { ready: this.#oneOf([true, false, 'Unknown']) }),
      () => report(name, { ips: this.#addresses() }),
      () => report(name, { ips: [] }),
      () => this.#removePod(name),
      () => remove('pods', name, 30),
      () => patch('pods', name, { metadata: { labels: { tier: null, ...this.#labels() } } }),
      () => patchService({ spec: { selector: { app: null, tier: null, ...this.#oneOf(SELECTORS) } } }, of),
      () => patchService({ spec: { selector: null } }, of),
      () => patchService({ spec: { ports: this.#oneOf(SERVICE_PORTS) } }, of),
      () => patchService({ spec: { publishNotReadyAddresses: this.#chance(0.5) } }, of),
      () => patchService({ metadata: { labels: { l: this.#oneOf(['1', '2', null]) } } }, of),
      () => patchService({ spec: { trafficDistribution: this.#oneOf([null, 'PreferClose', 'PreferSameNode']) } }, of),
      () => patchService({ spec: { ipFamilyPolicy: this.#oneOf(['SingleStack', 'PreferDualStack']) } }, of),
      () => ({ op: 'remove slices', service: of }),
      () => ({ op: 'edit slices', service: of, patch: this.#oneOf(EDITS) }),
      () => this.#removeService(of),
    ];
    return [this.#oneOf(choices)()];
  }

  #newPod(): Action[] {
    const name = `p${this.#serial++}`;
    this.#pods.add(name);
    const shape: PodShape = {
      ips: this.#chance(0.85) ? this.#addresses() : [],
      ready: this.#oneOf([true, true, true, false, 'Unknown', undefined]),
      node: this.#oneOf(['n1', 'n2', 'n3']),
      labels: this.#labels(),
      ports: this.#oneOf(POD_PORTS),
      ...(this.#chance(0.2) ? { hostname: name, subdomain: this.#oneOf(SERVICES) } : {}),
      ...(this.#chance(0.15) ? { sidecarPorts: [{ name: 'http', containerPort: 7070 }] } : {}),
    };
    return pod(name, shape);
  }

  #removePod(name: string): Action {
    this.#pods.delete(name);
    return remove('pods', name);
  }

  #newService(): Action {
    const name = SERVICES.find((each) => !this.#services.has(each)) ?? 'none';
    this.#services.add(name);
    const headless = this.#chance(0.3);
    return service(name, {
      selector: this.#oneOf(SELECTORS),
      ports: headless && this.#chance(0.4) ? [] : this.#oneOf(SERVICE_PORTS),
      ...(headless ? { clusterIP: 'None' } : {}),
      ...this.#oneOf(FAMILIES),
      publishNotReadyAddresses: this.#chance(0.2),
    });
  }

  #removeService(name: string): Action {
    this.#services.delete(name);
    return remove('services', name);
  }

  #labels(): Record<string, string> {
    return { app: this.#oneOf(['web', 'db']), ...(this.#chance(0.5) ? { tier: this.#oneOf(['x', 'y']) } : {}) };
  }

  #addresses(): string[] {
    const n = ++this.#serial;
    return this.#oneOf([[`10.2.0.${n}`], [`fd00::${n}`], [`10.2.0.${n}`, `fd00::${n}`], [`fd00::${n}`, `10.2.0.${n}`]]);
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }

  #oneOf<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const chosen = this.#pick(choices);
    if (chosen === undefined && choices.length === 0) throw new RangeError('nothing to choose from');
    return chosen as T;
  }

  #pick<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.#random() * choices.length)];
  }

  /** Marsaglia's xorshift, 32 bits. In [0, 1). */
  #random(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }
}

/** Scenarios in which what happens is left to chance; the same every time. One thing happens in each step. */
export const RANDOM: Scenario[] = Array.from({ length: 12 }, (_, i) => new Walk(i + 1).scenario(9));
