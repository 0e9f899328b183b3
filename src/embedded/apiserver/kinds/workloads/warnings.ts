import { nameWarning, podSpecWarnings } from '../pod/warnings.ts';
import type { Workload } from './types.ts';

export function workloadWarnings({ metadata, spec }: Workload): string[] {
  const name = nameWarning(metadata.name ?? '', 'this is used in Pod names and hostnames');
  return [...name, ...podSpecWarnings(spec.template.spec, 'spec.template.spec')];
}
