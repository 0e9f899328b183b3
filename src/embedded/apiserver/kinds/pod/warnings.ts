import { addressWarning } from '../validation/addresses.ts';
import { dns1123Label } from '../validation/names.ts';
import type { PodObject, PodSpec } from './types.ts';

export function podWarnings({ metadata, spec }: PodObject): string[] {
  const name = nameWarning(metadata.name ?? '', "this is used in the Pod's hostname");
  return [...name, ...podSpecWarnings(spec, 'spec')];
}

/** @param use what the name ends up in */
export function nameWarning(name: string, use: string): string[] {
  const problems = dns1123Label(name);
  if (problems.length === 0) return [];
  const result = 'which can result in surprising behavior; a DNS label is recommended';
  return [`metadata.name: ${use}, ${result}: [${problems.join(' ')}]`];
}

/** What is allowed but hardly meant. @param prefix where the spec stands */
export function podSpecWarnings(spec: PodSpec, prefix: string): string[] {
  const warnings: string[] = [];
  spec.hostAliases?.forEach(({ ip }, i) => {
    warnings.push(...addressWarning(`${prefix}.hostAliases[${i}].ip`, ip));
  });
  spec.imagePullSecrets?.forEach(({ name = '' }, i) => {
    if (name === '') warnings.push(`${prefix}.imagePullSecrets[${i}].name: invalid empty name ""`);
  });
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    const why = 'must be >= 0; negative values are invalid and will be treated as 1';
    warnings.push(`${prefix}.terminationGracePeriodSeconds: ${why}`);
  }
  return [...warnings, ...repetitions(spec, prefix)];
}

function repetitions({ containers }: PodSpec, prefix: string): string[] {
  const warnings: string[] = [];
  const ports = new Map<string, string>();
  containers?.forEach((container, i) => {
    const at = `${prefix}.containers[${i}]`;
    const names = new Set<string>();
    container.env?.forEach(({ name }, j) => {
      if (names.has(name)) {
        const why = `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
        warnings.push(`${at}.env[${j}]: ${why}`);
      }
      names.add(name);
    });
    container.ports?.forEach(({ containerPort, protocol }, j) => {
      const key = `${protocol} ${containerPort}`;
      const before = ports.get(key);
      const here = `${at}.ports[${j}]`;
      if (before === undefined) ports.set(key, here);
      else warnings.push(`${here}: duplicate port definition with ${before}`);
    });
  });
  return warnings;
}
