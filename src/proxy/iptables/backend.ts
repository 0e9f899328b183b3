import type { IPFamily } from '../../objects/meta.ts';
import { UserError } from '../../user-error.ts';
import { type Exec, ExecError, type ExecResult, lineSplitter } from '../exec.ts';

/** Which kernel interface the iptables programs drive: nf_tables, or the x_tables of old. Rules of one are unseen by the other. */
export type IptablesBackend = 'nft' | 'legacy';

export interface IptablesInfo {
  backend: IptablesBackend;
  /** `1.8.9` */
  version: string;
}

/** The three programs of one family and variant. */
export interface BinaryNames {
  command: string;
  save: string;
  restore: string;
}

/** `variant` undefined: the plain names, which the distribution's alternatives point at one variant. */
export function binaryNames(family: IPFamily, variant?: IptablesBackend): BinaryNames {
  const base = `${family === 'IPv4' ? 'iptables' : 'ip6tables'}${variant === undefined ? '' : `-${variant}`}`;
  return { command: base, save: `${base}-save`, restore: `${base}-restore` };
}

/**
 * Reads the output of `iptables --version`: `iptables v1.8.9 (nf_tables)`, or `(legacy)`; releases before 1.8 name no backend
 * and are x_tables. @throws RangeError when there is no version in it.
 */
export function parseVersion(output: string): IptablesInfo {
  const version = /v(\d+(?:\.\d+)+)/.exec(output)?.[1];
  if (version === undefined) throw new RangeError(`"${output.trim()}" has no iptables version in it`);
  return { backend: output.includes('(nf_tables)') ? 'nft' : 'legacy', version };
}

/** Compares dotted versions number by number. */
export function atLeast(version: string, wanted: string): boolean {
  const have = version.split('.').map(Number);
  const want = wanted.split('.').map(Number);
  for (let i = 0; i < Math.max(have.length, want.length); i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Seconds that a command waits for the xtables lock; the value kube-proxy uses. */
const LOCK_WAIT = '5';

export function waitArgs(version: string): string[] {
  if (atLeast(version, '1.4.22')) return ['-w', LOCK_WAIT];
  return atLeast(version, '1.4.20') ? ['-w'] : [];
}

/** Before 1.6.2 iptables-restore knew no `-w`. */
export function restoreWaitArgs(version: string): string[] {
  return atLeast(version, '1.6.2') ? ['-w', LOCK_WAIT] : [];
}

export function supportsRandomFully(version: string): boolean {
  return atLeast(version, '1.6.2');
}

/** What was found out about one variant; `undefined` where the programs are not installed or do not work. */
export interface VariantProbe {
  /** kubelet has left KUBE-IPTABLES-HINT or KUBE-KUBELET-CANARY in this variant's mangle table. */
  kubeletHint: boolean;
  /** Rules of any family in this variant's tables. */
  rules: number;
  /** What the programs said when their tables are there and may not be read. */
  forbidden?: string;
}

export interface BackendProbes {
  nft: VariantProbe | undefined;
  legacy: VariantProbe | undefined;
  /** Backend of the plain `iptables`. */
  plain: IptablesBackend | undefined;
}

export interface BackendChoice {
  backend: IptablesBackend;
  /** Why, for the log. */
  reason: string;
  /** A line for the log when this choice and kubelet's disagree, or kubelet's is not clear. */
  warning?: string;
}

export const NO_RIGHT_TO_CHANGE_RULES =
  'changing iptables rules needs root, or the capability NET_ADMIN (and NET_RAW for iptables-legacy)';

/**
 * Which backend to use. kubelet's hint chain says which one the node uses (KEP-3178); without it the variant that holds more
 * rules wins, then whatever the plain `iptables` is.
 * @returns undefined when nothing usable is installed.
 * @throws UserError when the variant without a hint may be the one in use, but may not be looked at
 */
export function chooseBackend(requested: IptablesBackend | 'auto', probes: BackendProbes): BackendChoice | undefined {
  const hinted = (['nft', 'legacy'] as const).filter((variant) => probes[variant]?.kubeletHint);
  if (requested !== 'auto') {
    if (!probes[requested] && probes.plain !== requested) return undefined;
    const choice: BackendChoice = { backend: requested, reason: 'asked for' };
    if (hinted.length > 0 && !hinted.includes(requested)) {
      choice.warning = `kubelet uses iptables-${hinted[0]}, but iptables-${requested} was asked for: the two do not see each other's rules`;
    }
    return choice;
  }
  if (hinted.length === 2) {
    const warning = 'kubelet has left its hint in iptables-nft and in iptables-legacy; one of them is stale';
    return { backend: 'nft', reason: "kubelet's hint", warning };
  }
  if (hinted[0]) return { backend: hinted[0], reason: "kubelet's hint" };
  const { nft, legacy, plain } = probes;
  // iptables-nft asks for NET_ADMIN only, so whoever may not even read it may change nothing.
  if (nft?.forbidden !== undefined) throw new UserError(NO_RIGHT_TO_CHANGE_RULES);
  const forbidden = legacy?.forbidden;
  if (forbidden !== undefined) {
    throw new UserError(
      `cannot find out which iptables this node uses: kubelet has left no hint, and "${forbidden}"; ` +
        '--iptables-backend names one, and reading iptables-legacy takes the capability NET_RAW besides NET_ADMIN',
    );
  }
  if (nft && legacy && nft.rules !== legacy.rules) {
    return { backend: nft.rules > legacy.rules ? 'nft' : 'legacy', reason: 'holds more rules' };
  }
  if (plain) return { backend: plain, reason: 'what plain iptables is' };
  if (nft) return { backend: 'nft', reason: 'installed' };
  return legacy ? { backend: 'legacy', reason: 'installed' } : undefined;
}

export const MISSING_IPTABLES =
  'iptables is not installed, or not in PATH; on Debian and Ubuntu: apt-get install -y iptables';

export interface DetectedBackend extends BackendChoice {
  version: string;
  names: Record<IPFamily, BinaryNames>;
}

/**
 * Looks at what is installed and what the kernel holds, and chooses.
 * @throws UserError when no usable iptables is found, with what to install.
 */
export async function detectBackend(exec: Exec, requested: IptablesBackend | 'auto'): Promise<DetectedBackend> {
  const plain = await versionOf(exec, 'iptables');
  const { nft, legacy, probes: variants } = await probeVariants(exec);
  const probes: BackendProbes = { ...variants, plain: plain?.backend };
  const choice = chooseBackend(requested, probes);
  if (!choice) {
    if (requested === 'auto' || !plain) throw new UserError(MISSING_IPTABLES);
    throw new UserError(
      `--iptables-backend ${requested}: iptables-${requested} is not installed (plain iptables is ${plain.backend})`,
    );
  }
  const explicit = { nft, legacy }[choice.backend];
  const info = explicit ?? plain;
  if (!info) throw new UserError(MISSING_IPTABLES);
  const variant = explicit ? choice.backend : undefined;
  return {
    ...choice,
    version: info.version,
    names: { IPv4: binaryNames('IPv4', variant), IPv6: binaryNames('IPv6', variant) },
  };
}

/**
 * The variant that this machine uses, for a program that is itself the plain `iptables` and so must not ask for that.
 * @throws UserError as `detectBackend`
 */
export async function variantInUse(exec: Exec): Promise<IptablesBackend> {
  const { probes } = await probeVariants(exec);
  const choice = chooseBackend('auto', { ...probes, plain: undefined });
  if (!choice) throw new UserError(MISSING_IPTABLES);
  return choice.backend;
}

interface Variants {
  nft: IptablesInfo | undefined;
  legacy: IptablesInfo | undefined;
  probes: Pick<BackendProbes, 'nft' | 'legacy'>;
}

async function probeVariants(exec: Exec): Promise<Variants> {
  const [nft, legacy] = [await versionOf(exec, 'iptables-nft'), await versionOf(exec, 'iptables-legacy')];
  const probes = {
    nft: nft && (await probeVariant(exec, 'nft')),
    legacy: legacy && (await probeVariant(exec, 'legacy')),
  };
  return { nft, legacy, probes };
}

const PROBE_TIMEOUT_MS = 60_000;

async function tryRun(
  exec: Exec,
  command: string,
  args: string[],
  onStdout?: (chunk: string) => void,
): Promise<ExecResult | undefined> {
  try {
    return await exec({ command, args, timeoutMs: PROBE_TIMEOUT_MS, ...(onStdout && { onStdout }) });
  } catch (error) {
    if (error instanceof ExecError && (error.code === 'NOT_FOUND' || error.code === 'NOT_PERMITTED')) return undefined;
    throw error;
  }
}

async function versionOf(exec: Exec, command: string): Promise<IptablesInfo | undefined> {
  const result = await tryRun(exec, command, ['--version']);
  if (result?.exitCode !== 0) return undefined;
  return parseVersion(result.stdout);
}

/** Reads without creating anything: `-save` of an absent table prints nothing, and legacy without `-t` skips absent tables. */
async function probeVariant(exec: Exec, variant: IptablesBackend): Promise<VariantProbe> {
  const probe: VariantProbe = { kubeletHint: false, rules: 0 };
  for (const family of ['IPv4', 'IPv6'] as const) {
    const lines = lineSplitter((line) => {
      if (line.startsWith('-A ')) probe.rules++;
      else if (/^:KUBE-(IPTABLES-HINT|KUBELET-CANARY) /.test(line)) probe.kubeletHint = true;
    });
    const saved = await tryRun(exec, binaryNames(family, variant).save, [], lines.push);
    const refusal =
      saved?.exitCode !== 0 && /^.*(?:Permission denied|Operation not permitted).*$/m.exec(saved?.stderr ?? '');
    if (refusal) probe.forbidden = refusal[0].trim();
  }
  return probe;
}
